"""The vendor's own clients of several generations against the local Resource Manager."""
