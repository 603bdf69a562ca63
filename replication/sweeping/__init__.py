"""The sweep: every version in scope is compared with its plan, in as many runs as it takes."""
