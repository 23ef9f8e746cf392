"""Search algorithms of maintained packages, on the same terms as all others.

Read `search` first: how any optimizer becomes an algorithm that never evaluates an architecture twice. Optuna's samplers
run right here (`optuna_samplers`). Every other package lives in an environment of its own (`environments`), where a script
of `servers` asks it; `remote` puts the questions, over a `pipe`.
"""
