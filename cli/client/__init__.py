"""How a command reaches the app: in this process, or over its HTTP API."""
