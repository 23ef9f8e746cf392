"""The command line: one file for each command; it holds no method and no statistics, and says errors in plain sentences.

Read `main` first, then `search`, the plainest command; `options` holds what several share, `saved` the folder of a search,
`own_network` the code of the user's own that a study does not hold.
"""
