"""Data files: what there is, where it comes from, its digest, and how it is fetched, verified and read without trust.

Read `declarations` and `catalogue` first, then `datasets`, `fetching`, and `files`, which all of them use. `pickles`, `protobuf` and `onnx` read other
people's file formats for `optiproxy.tables.convert`; they run and trust nothing.
"""
