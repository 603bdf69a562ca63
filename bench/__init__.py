"""The benchmarks: what things cost in time, on made-up data."""
