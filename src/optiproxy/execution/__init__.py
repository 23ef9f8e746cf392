"""Where evaluations run: one call of a task, in this process, in workers that may crash, hang and be killed, or on a cluster.

Read `evaluation` first, which needs no executor, then `executors` and what they stand on: `worker` runs calls in processes
within `limits`, `trees` ends whatever these start, `devices` are given out to them. `clusters` does the same on other machines, of
`on_dask` and `on_ray`; `given` opens what a user hands over. `interrupts` keeps signals from tearing records apart.
"""
