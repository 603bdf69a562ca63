"""Answers of the app: queries, acts and parameters, and the shapes of what is answered.

No wiring, no HTTP and no rule; what acts calls an operation.
"""
