"""Tasks whose trainings have been done and tabulated, or are predicted by a published surrogate.

Read `table` first; each of the others is one benchmark, `nasbench201_sources` where the values of NAS-Bench-201 come from.
In shapes, ``n`` counts the rows of a table: trials that its authors ran.
"""
