"""Spaces that users make: out of a model function, suggestions, a ConfigSpace, or parts of their own.

Read `blocks` and `conditional` first, then `exploring`.
"""
