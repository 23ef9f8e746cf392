"""Baselines that learn a predictor and search in rounds.

Read `rounds` first; each of the others is one published algorithm.
"""
