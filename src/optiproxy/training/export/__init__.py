"""A found network as a file: Python source, a torch program or ONNX, checked against the network.

Read `network_files` first, then `file_format`, with what is compared in `outputs`, and the formats themselves in `python_file` and
`graph_files`.
"""
