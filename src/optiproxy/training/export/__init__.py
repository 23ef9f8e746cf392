"""A found network as a file: Python source, a torch program or ONNX, checked against the network.

Read `network_files` first, then `file_format`, and the formats themselves in `python_file` and `graph_files`.
"""
