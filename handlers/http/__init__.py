"""The HTTP functions, a module a resource: each decodes, makes one call and answers."""
