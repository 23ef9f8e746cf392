"""The Optuna study that keeps a search: what is written beside a trial, who works on it, and what the study was made for.

Read `record`, `schema` and `writing` first, then `log`, which begins and ends queries, and `proposer`, which it asks; `study` and
`identity` open a study and tell whether it is the right one. `claims` tells who works on what (`liveness`), `endings` stores
what came of it, and `backends` says where all of that lies.
"""
