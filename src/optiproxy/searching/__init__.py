"""The search: the public function, the loop that spends queries, its phases and its progress.

Read `search` first, then `settings`, `run` and `work`, and follow a query through `loop`, `phases`, `ahead`
(`submitting` where times are measured) and `optiproxy.storage.log`; `load` reads a stored search back.
"""
