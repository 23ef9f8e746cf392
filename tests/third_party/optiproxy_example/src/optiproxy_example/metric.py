"""A metric that needs no training: a function of what the space builds, here decision name -> chosen layer.

A search knows such a metric before it spends a query, so that nothing is trained that breaks a limit on it::

    optiproxy.search(StackSpace(), train, budget=20, free={"parameters": parameters}, limits=["parameters<=20000"])

A task declares it (see `task`), and then ``optiproxy search TASK --limit 'parameters<=20000'`` works too. A metric that
does need the training is one more entry of what the training function returns.
"""

from __future__ import annotations

from collections.abc import Mapping

WEIGHTS = {"none": 0, "conv3x3": 16 * 16 * 3 * 3, "conv5x5": 16 * 16 * 5 * 5, "pool": 0}
"""Layer -> the number of its weights, with 16 channels in and out."""


def parameters(layers: Mapping[str, str]) -> float:
    """Number of weights of a stack. NaN would mean that it cannot be measured; such a stack counts as infeasible."""
    return float(sum(WEIGHTS[layer] for layer in layers.values()))
