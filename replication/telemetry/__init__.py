"""What the app tells of itself: traces, figures, and the gauges of what stands in storage."""
