"""What the app tells of itself: the log, traces and figures, and where they go.

The gauges of what stands in storage are read in replication.gauges.
"""
