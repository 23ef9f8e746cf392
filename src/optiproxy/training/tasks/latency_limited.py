"""Any task of trained networks, with a limit on latency: a share of the latency of a reference network on the same machine.

A bound in milliseconds holds on one machine, and there only while nothing else runs. So the network and the reference are
timed in turn, and their ratio is the metric that is limited: a study can be continued on another machine.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, final

from optiproxy.metrics import Goal, Limit, Metric
from optiproxy.spaces import Architecture
from optiproxy.spaces.published.recurrent_cell import INPUT, Node, assemble
from optiproxy.training.tasks.network_task import NetworkTask, Trained, TrainingTask

RELATIVE_LATENCY = Metric(name="relative_latency", direction="min", free=True)
"""Latency over that of the reference network, without unit."""

LSTM = assemble(
    {
        10: Node("linear", (INPUT, 1)),
        11: Node("linear", (INPUT, 1)),
        12: Node("linear", (INPUT, 1)),
        13: Node("linear", (INPUT, 1)),
        20: Node("sigmoid", (10,)),
        21: Node("sigmoid", (11,)),
        22: Node("sigmoid", (12,)),
        23: Node("tanh", (13,)),
        30: Node("product", (20, 2)),
        31: Node("product", (21, 23)),
        40: Node("sum", (30, 31)),
        41: Node("tanh", (40,)),
        50: Node("product", (22, 41)),
    },
    (50, 40),
)
"""A long short-term memory (Hochreiter and Schmidhuber 1997): forget, input and output gate, candidate.

The first state is the output, the second the memory.
"""


@final
class LatencyLimited(TrainingTask):
    """Another task, for networks that are fast enough. Ratios are measured once per canonical architecture and kept.

    Args:
        task: The task that space, metrics, objectives and trainings are taken from.
        reference: The architecture that others are timed against.
        share: Largest relative latency of a feasible architecture.
    """

    def __init__(self, task: NetworkTask[Any, Any], reference: Architecture, *, share: float) -> None:
        self.name = f"{task.name}-latency"
        self.space = task.space
        self.metrics = (*task.metrics, RELATIVE_LATENCY)
        # The objectives stay: latency is a limit, and nothing is traded for it.
        self.goal = Goal(task.goal.objectives, (*task.goal.limits, Limit(RELATIVE_LATENCY.name, share)))
        self.source = task.source
        self.fidelities = task.fidelities
        self.reference = reference
        self._task = task
        self._ratios: dict[Architecture, float] = {}

    def train(self, architecture: Architecture, *, seed: int = 0, epochs: int | None = None) -> Trained:
        trained = self._task.train(architecture, seed=seed, epochs=epochs)
        # Part of what a query stores, so that whether it kept the limit is known without measuring again.
        return replace(trained, metrics={**trained.metrics, RELATIVE_LATENCY.name: self._ratio(architecture)})

    def free_metrics(self, architecture: Architecture) -> dict[str, float]:
        return {**self._task.free_metrics(architecture), RELATIVE_LATENCY.name: self._ratio(architecture)}

    def _ratio(self, architecture: Architecture) -> float:
        from optiproxy.training.latency import ratio

        # Kept, because a limit that moves between two queries of one architecture would be none.
        form = self.space.canonical(architecture)
        if form not in self._ratios:
            # Weights do not change what a forward pass costs, so the networks need no training.
            network, reference = (self._task.untrained(each) for each in (form, self.reference))
            self._ratios[form] = ratio(network, reference, self._task.example())
        return self._ratios[form]


def digits_latency() -> LatencyLimited:
    """Make `digits` within half the latency of the cell that has a 3x3 convolution on every edge."""
    from optiproxy.training.tasks.digits import DigitsTask

    task = DigitsTask()
    # The cell with the most arithmetic, so that there is much to save.
    densest = task.space.architecture({decision.name: "nor_conv_3x3" for decision in task.space.decisions})
    return LatencyLimited(task, densest, share=0.5)


def pydoc_chars_latency() -> LatencyLimited:
    """Make `pydoc-chars` within half the latency of the LSTM cell (Hochreiter and Schmidhuber 1997).

    Raises:
        DataError: If this Python comes without its help topics.
    """
    from optiproxy.training.tasks.pydoc_chars import PydocCharsTask

    task = PydocCharsTask()
    return LatencyLimited(task, task.cells.architecture_of(LSTM), share=0.5)
