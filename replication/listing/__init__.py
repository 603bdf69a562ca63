"""Lists and counts beside the job records, kept so that a page reads only what it shows."""
