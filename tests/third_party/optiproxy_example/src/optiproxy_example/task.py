"""A task: a space, the metrics, and how one architecture is evaluated. A real one would train a network here.

Without a task, `optiproxy.search(space, train, ...)` searches with an ordinary function. A task has a name and a source
of its data, so that it can be searched, compared and reported from the command line.
"""

from __future__ import annotations

import numpy as np

from optiproxy import Goal, Metric, Objective, Task
from optiproxy.spaces import Architecture
from optiproxy.task import Source
from optiproxy_example.metric import parameters
from optiproxy_example.space import StackSpace

GAIN = {"none": 0.0, "conv3x3": 6.0, "conv5x5": 7.0, "pool": 1.0}


class StackTask(Task):
    """The accuracy of a stack, by a formula: each convolution helps less than the one before it."""

    name = "example-stack"
    space = StackSpace()
    metrics = (
        Metric(name="accuracy", direction="max", unit="%"),
        Metric(name="parameters", direction="min", free=True),  # known before a training
    )
    goal = Goal((Objective("accuracy"),))
    source = Source("formula", "made up for this example")
    isolated = False  # a formula neither crashes nor hangs; trainings run in processes of their own

    def evaluate(self, architecture: Architecture, *, seed: int = 0, fidelity: int | None = None) -> dict[str, float]:
        """Metric name -> value; the same seed gives the same values. Raising means that the training failed."""
        self.check_fidelity(fidelity)
        canonical = self.space.canonical(architecture)
        layers = self.space.values(canonical).values()
        accuracy = 70.0 + sum(GAIN[layer] / (i + 1) for i, layer in enumerate(layers))
        luck = np.random.default_rng([seed, *canonical]).normal(scale=0.1)
        return {"accuracy": float(accuracy + luck), **self.free_metrics(architecture)}

    def free_metrics(self, architecture: Architecture) -> dict[str, float]:
        """The metrics that are declared free, without a training."""
        return {"parameters": parameters(self.space.build(self.space.canonical(architecture)))}
