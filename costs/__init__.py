"""What replicas cost: prices, the daily ledger, the audit report, bills and the FOCUS export."""
