"""The dead-letter desk: what waits for a person, why, and the list of it.

Acting on it is in operations.
"""
