"""The shapes of every answer of the API, one for the app, its pages and the command line.

What stands here is made of records and read from an answer; nothing here asks anybody.
"""
