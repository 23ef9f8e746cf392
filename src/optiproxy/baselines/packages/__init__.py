"""Search algorithms of maintained packages, on the same terms as all others.

They get a categorical parameter per decision, and never an architecture twice: what a package proposes although it is
invalid, known or pending is put right as `optiproxy.baselines.packages.search` says. What Optuna brings runs right
here; every other package lives in an environment of its own and is spoken to over a pipe.
"""
