"""What a network costs, measured without training it: parameters, FLOPs, memory, latency here or on a device.

Read `network_costs` first; the others each measure one thing, by running a `forward` pass.
"""
