"""Algorithms compared on equal terms: the same tasks, seeds, budget and evaluation for each of them.

Read `grid` first (what is run), then `results` (what one run brought) and `compare`, which makes the runs in `worker` processes
and keeps them in a `folder`. What they show is in `comparison`: `scores` of a run, `estimates` and `summary` of an algorithm,
`paired` tests and `ranks`, and `statistics`, which puts them together.
"""
