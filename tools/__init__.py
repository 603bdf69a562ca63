"""Programs for developers: the simulation, the crash test, the pages' pictures and texts."""
