"""The FOCUS export of the ledger, and the rules that it keeps."""
