"""What may hold back a call or a write: Azure's limits, failing regions, budgets, pauses."""
