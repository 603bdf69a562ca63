"""What each page shows, as plain data. Drawing it is in the templates."""
