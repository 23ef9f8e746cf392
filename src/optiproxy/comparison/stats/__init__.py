"""What a comparison shows: how good each algorithm is, and which differences between them are no chance.

Read `comparison`, then `scores` (how one run is scored), `summary` and `survival` (one algorithm on one task), `paired` and
`statistics` (the reference against each rival) and `ranks` (all algorithms over all tasks).
"""
