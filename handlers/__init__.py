"""The triggers: each decodes, makes one call, and returns."""
