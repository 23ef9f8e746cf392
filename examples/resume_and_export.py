"""Stop a search, resume it, and take the best network home.

Lines that end in `# <-` are what the search has added or changed.

Run ``python examples/resume_and_export.py [BUDGET]``; it writes `search.db`, `architecture.json` and `network.pt2`.
"""

from __future__ import annotations

import json  # <-
import sys
from pathlib import Path  # <-

import torch
from sklearn.datasets import load_iris
from torch import nn

import optiproxy  # <-
from optiproxy.nn import Cell, Choice, Value  # <-

FLOWERS = load_iris()
INPUTS, LABELS = torch.tensor(FLOWERS.data, dtype=torch.float32), torch.tensor(FLOWERS.target)


def model() -> nn.Module:
    """A searched cell between two linear layers."""
    width = Value([4, 8, 16], name="width")  # <- was 8
    operations = {"linear": lambda: nn.Linear(width, width), "skip": nn.Identity, "tanh": nn.Tanh}  # <-
    cell = Cell(operations, nodes=3, inputs=2, name="cell")  # <- was nn.Linear(width, width)
    last = Choice([nn.ReLU, nn.GELU], name="last")  # <- was nn.ReLU()
    return nn.Sequential(nn.Linear(4, width), cell, last, nn.Linear(width, 3))


def train(network: nn.Module) -> float:
    """Train on every other flower; the accuracy on the rest."""
    optimizer = torch.optim.AdamW(network.parameters(), lr=1e-2)
    for _ in range(60):
        loss = nn.functional.cross_entropy(network(INPUTS[::2]), LABELS[::2])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return 100 * (network(INPUTS[1::2]).argmax(1) == LABELS[1::2]).float().mean().item()


if __name__ == "__main__":
    torch.set_num_threads(1)
    budget = int(sys.argv[1]) if len(sys.argv) > 1 else 20
    space = optiproxy.Space.from_model(model)  # <-
    # Half of the budget, as if something had come between; the same call again goes on where it stopped.
    optiproxy.search(space, train, budget=budget // 2, storage="search.db")  # <-
    found = optiproxy.search(space, train, budget=budget, storage="search.db")  # <-

    network = space.build(found.best.architecture, seed=found.seed)  # <- was model()
    accuracy = train(network)  # as in the search, because the initial weights depend on the seed alone
    program = torch.export.export(network.eval(), (INPUTS[:2],))
    torch.testing.assert_close(program.module()(INPUTS[:2]), network(INPUTS[:2]), rtol=0, atol=1e-5)
    torch.export.save(program, "network.pt2")
    Path("architecture.json").write_text(json.dumps(found.best_architecture, indent=2))  # <-
    print(found.best_architecture, dict(found.best.metrics))  # <- was print(accuracy)
