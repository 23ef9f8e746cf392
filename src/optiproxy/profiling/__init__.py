"""A look at a space before anything is trained: its size, what keeps the limits, what a search would cost."""
