"""What image versions are made from and encrypted with, which lies outside of galleries."""
