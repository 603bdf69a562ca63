"""Programs for developers: the simulation and the crash test."""
