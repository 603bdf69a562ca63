"""Files that ship with the audit: the price snapshot and the rules of FOCUS."""
