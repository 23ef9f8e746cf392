"""What a comparison shows: summaries, paired tests with one correction, ranks, survival curves.

Read `comparison` first, then `findings`.
"""
