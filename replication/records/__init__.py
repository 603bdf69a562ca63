"""Job records: their stored form, and changing them by compare-and-swap."""
