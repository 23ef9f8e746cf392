"""Spaces around another space: told apart, restricted by a rule, or reduced to a pool of members.

Read `wrapper` first, which passes everything on and holds the first two; then `pool`.
"""
