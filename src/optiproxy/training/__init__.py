"""Tasks whose queries train a network for real, what such a network costs, and how a winner is written down.

Read `tasks` first; then `costs`, which measures networks without training them (by a `forward` pass, whose `operations` are seen
one by one and counted by `flops`, with `flop_formulas` where torch has none, and whose `latency` is taken by `repeating` it), and
`export`.
"""
