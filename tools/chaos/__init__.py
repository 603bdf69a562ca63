"""The crash test: kills, faults and restarts on the real parts."""
