"""Prices and sizes, and what replicas are estimated to cost.

What they did cost is in the ledger.
"""
