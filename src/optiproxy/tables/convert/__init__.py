"""From the files that a benchmark's authors published to arrays of our own, one file per benchmark or form of its files.

Read `nasbench201` first, the plainest. Everything here runs once, at `optiproxy data fetch` or `data import`.
"""
