"""The report of one search: its page, its figures, its sentences, and the card of an exported network."""
