"""What runs in the packages' own environments: `serving` and one file per algorithm, which import nothing of ours.

Our own environment has none of these packages, so the type checker is told not to look for them.
"""
