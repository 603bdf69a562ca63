"""The tables that commands print. They compute nothing."""
