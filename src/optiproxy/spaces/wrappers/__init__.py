"""Spaces around another space: restricted by a rule, told apart, or reduced to a pool of members."""
