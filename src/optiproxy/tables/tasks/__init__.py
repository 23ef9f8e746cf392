"""Tasks whose trainings have been done and tabulated, or are predicted by a published surrogate.

Read `table` first; each of the others is one benchmark.
"""
