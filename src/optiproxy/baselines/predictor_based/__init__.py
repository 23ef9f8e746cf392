"""Baselines that learn a predictor of an architecture's utility and search in rounds.

Read `rounds` first, the loop that all of them share and what they choose from; `regression` holds the predictors that several
share. Each of the other files is one published algorithm: its features, its predictor and its acquisition function.
"""
