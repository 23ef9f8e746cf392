"""Figures as SVG without a plotting library: `chart`, `ranks` and `graph` each draw one kind of record of `figures`.

Read `elements` first, which the others share, then `chart`.
"""
