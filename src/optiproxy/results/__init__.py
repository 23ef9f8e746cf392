"""What a search has found: its records and its answer (`result`), the same as a table and as a note, and how good a search it was.

`recommend` says which of the measured architectures to take, `importance` which decisions matter. `hypervolume` measures a front,
`calibration` what was predicted.
"""
