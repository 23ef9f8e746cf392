"""The report of a comparison: its page, figures, tables and sentences."""
