"""Where a study lies, and what may happen there: `opening` finds the storage and hides its passwords (`secrets`), `trials` writes.

What goes wrong below `trials` is the affair of `outage`, which waits, and of `stranded`, which keeps results meanwhile; `database` makes
each write one transaction.
"""
