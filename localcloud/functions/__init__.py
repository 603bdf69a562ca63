"""A small Functions host around the vendor's worker library."""
