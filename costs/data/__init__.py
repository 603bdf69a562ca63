"""Files that ship with the audit: the price snapshot."""
