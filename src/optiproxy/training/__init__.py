"""Tasks whose queries train a network for real, what such a network costs, and how a winner is written down.

Read `tasks` first, then `costs` and `export`.
"""
