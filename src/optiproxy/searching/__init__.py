"""The search: the public function, the loop that spends queries, its phases, its progress and its result.

Read `search` first, then `settings` and `run`, and follow a query through `loop`, `phases`, `ahead`
(`submitting` where times are measured) and `optiproxy.storage.log`.
"""
