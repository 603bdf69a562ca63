"""Routes of HTTP triggers, read and matched as the vendor's router does it."""
