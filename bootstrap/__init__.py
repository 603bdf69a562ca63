"""The composition root: only here services, costs, adapters and the environment meet."""
