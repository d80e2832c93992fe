"""The demo shop: Juniper & Oak, a coffee and tea roaster in Dublin that never existed.

Everything but `load`, `clear`, `accounts` and `history` is plain Python and numpy: a seed and a last day in, people,
products and orders out.
"""
