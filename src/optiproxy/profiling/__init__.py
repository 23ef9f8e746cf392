"""A look at a space before anything is trained: its size, how much of it keeps the limits, and what a search would cost.

Read `profile` first, which holds what is found and what speaks against a search; `measuring` finds it.
"""
