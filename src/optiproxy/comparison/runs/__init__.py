"""The searches of a comparison: the grid, its workers, and the folder in which it resumes and grows.

Read `compare` first, then `worker` and `folder`; what there is to run is in `optiproxy.comparison.grid`.
"""
