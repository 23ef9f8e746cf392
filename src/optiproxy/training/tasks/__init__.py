"""Tasks that train networks for real, on data that comes with installed packages.

Read `network_task` first, then `digits` and `pydoc_chars`; what they train is in `cell_network` and `recurrent_network`, and
how in `recipes`. `own_network` trains what a search of a user's own has found once more.
"""
