"""State that all instances share, one typed row a thing.

Its kinds are declared by the features that own them.
"""
