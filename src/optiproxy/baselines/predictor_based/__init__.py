"""Baselines that learn a predictor of an architecture's utility and search in rounds.

Read `rounds` first, the loop that all of them share, then `candidates`, what they choose from. `graph_regression` and
`bayesian_linear` are predictors that several share. Each of the others is one published algorithm: its features, its
predictor and its acquisition function.
"""
