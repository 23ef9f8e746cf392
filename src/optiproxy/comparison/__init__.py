"""Algorithms compared on equal terms: the same tasks, seeds, budget and evaluation for each of them.

`grid` says what is run and `results` what one run brought; `stats` says what the results show, and `runs` makes them and keeps
them in a folder. Read in this order; each part uses only those before it.
"""
