"""The audit report: what was spent, on what and why, from the ledger's files."""
