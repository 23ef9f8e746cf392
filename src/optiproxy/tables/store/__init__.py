"""Data files: what there is, where it comes from, its digest, and how it is fetched and verified.

Read `catalogue` first, then `datasets`, `fetching`, and `files`, which all of them use.
"""
