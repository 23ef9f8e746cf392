"""Spaces that users make: out of a function that builds a network, of suggestions to an Optuna trial, or of a ConfigSpace.

Read `blocks`, `chain` and `conditional` first: what such a space is made of and what the proxy sees of it. Then `tracing`
and `exploring`, which find the decisions of a function by running it, and `model` and `from_libraries`, which do so for functions
that build a network, and for what was written for Optuna or ConfigSpace. `dry_run` gives lazy modules their weights.
"""
