"""A bill held against the ledger: what agrees, what differs, and why."""
