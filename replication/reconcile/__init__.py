"""One look at an image version: observe, decide, act, record, and say when to look again."""
