"""The simulation: the whole app on a fake clock, with everything that may break."""
