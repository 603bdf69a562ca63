"""The adapters: the only rooms that import azure.*; vendor types and errors stop here."""
