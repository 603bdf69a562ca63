"""Timer triggers: their schedules, what is kept of their runs, and when they run."""
