"""Tasks that train networks for real, on data that comes with installed packages.

Read `network_task` first, then `digits` and `pydoc_chars`.
"""
