"""The FOCUS export of the ledger."""
