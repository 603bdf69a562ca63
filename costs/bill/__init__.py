"""Reading a bill as Cost Management exports it, row by row.

What is made of it is in reconciliation.
"""
