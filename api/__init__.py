"""What is shown: queries, and the shapes of every answer.

No wiring and no HTTP; it changes nothing.
"""
