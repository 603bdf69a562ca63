"""The texts of the pages in every language, and which language a reader asked for."""
