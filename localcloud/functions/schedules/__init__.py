"""Schedules of timers: the moments that an expression or a time span names."""
