"""The product: plan, decide and record the replication of gallery image versions.

Only `replication.azure` knows the vendor. Costs, wiring, pages and commands stand beside it.
"""
