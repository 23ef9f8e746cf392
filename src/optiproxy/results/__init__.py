"""What a search has found: its records and its answer (`result`), the same as a table and as a note, and how good a search it was.

`hypervolume` measures a front, `calibration` what was predicted.
"""
