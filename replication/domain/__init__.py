"""Nouns and pure rules: image versions, regions, plans, jobs, failures.

No clock, no storage, no Azure.
"""
