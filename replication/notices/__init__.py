"""Notices of failures: decided, written down, and sent to webhooks."""
