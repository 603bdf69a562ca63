"""`make demo`: an export in one region becomes usable in its whole geography, before your eyes."""
