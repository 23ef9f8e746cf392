"""Algorithms compared on equal terms: `runs` makes the searches, `stats` says what they show."""
