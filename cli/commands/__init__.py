"""The commands, one module a subject: each reads its words, makes one call and prints."""
