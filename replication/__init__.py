"""The product: plan, decide and record the replication of gallery image versions.

Importable without Azure; only `replication.azure` and `bootstrap.adapters` know the vendor.
"""
