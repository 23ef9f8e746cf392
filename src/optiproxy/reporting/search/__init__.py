"""The report of one search (`page`, `figures`, `structure`), the card of an exported network, and the profile of a space in words.

Read `figures` and `page` first; `card` and `profile` stand alone.
"""
