"""The search: the public function, the loop that spends queries, its phases, its progress and its result.

Read `search` first, then `loop` and `phases`.
"""
