"""Spaces that users make: out of a function that builds a network, of suggestions to an Optuna trial, or of a ConfigSpace.

Read `blocks`, `chain` and `conditional` first: what such a space is made of and what the proxy sees of it. Then `tracing`
and `exploring`, which find the decisions of a function by running it, and `model`, `define_by_run` and `configspace`,
which do so for three kinds of functions.
"""
