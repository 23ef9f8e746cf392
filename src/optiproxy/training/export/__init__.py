"""A found network as a file: Python source, a torch program or ONNX, checked against the network.

Read `export` first.
"""
