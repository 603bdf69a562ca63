"""What replicas cost. For now a plain estimate; ledger, report and reconciliation follow."""
