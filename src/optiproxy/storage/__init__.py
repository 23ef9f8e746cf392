"""The Optuna study that keeps a search: what is written beside a trial, who works on it, and what the study was made for.

Read `schema` first, then `log` and `study`.
"""
