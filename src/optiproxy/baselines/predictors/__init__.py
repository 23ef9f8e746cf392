"""Models that predict how good an architecture is, and the features that they read."""
