"""The bill as Cost Management exports it, read row by row.

What is made of it is in reconciliation.
"""
