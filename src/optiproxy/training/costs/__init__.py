"""What a network costs, measured without training it: parameters, FLOPs, memory, latency here or on a device.

Read `costs` first.
"""
