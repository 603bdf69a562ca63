"""Settings from the environment and the policy file: read once, checked, refused by name."""
