"""The words of the pages in both languages, and which language a reader asked for."""
