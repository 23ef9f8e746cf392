"""The searches of a comparison: the grid, its workers, and the folder in which it resumes and grows.

Read `compare` first, then `grid` and `folder`.
"""
