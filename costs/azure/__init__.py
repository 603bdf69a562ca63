"""Adapters of the audit to Azure: ledger blobs, the retail price list and Resource Graph."""
