"""The report of a comparison: its `figures` as data, its tables, its sentences (`words`), and the `page` that holds them.

Read `page` first; `task_table` is of one task, `overview_tables` are of several.
"""
