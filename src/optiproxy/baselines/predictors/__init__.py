"""Models that the predictor-based baselines share.

Read `networks` first (perceptrons, the training loop), then `graph_networks`, then `bayesian_linear`.
"""
