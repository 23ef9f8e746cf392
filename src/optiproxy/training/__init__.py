"""Tasks whose queries train a network for real, what such a network costs, and how a winner is written down.

Read `tasks` first; then `costs`, which measures networks without training them (by a `forward` pass, whose operations `flops`
counts and whose `latency` is taken by `repeating` it), and `export`.
"""
