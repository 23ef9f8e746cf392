"""Accuracy against latency: the front of networks that no other beats in both.

Lines that end in `# <-` are what the search has added or changed.

Run ``python examples/pareto_front.py [BUDGET]``; a training takes about a second on one core.
"""

from __future__ import annotations

import sys
from itertools import pairwise

import torch
from sklearn.datasets import load_digits
from torch import nn

import optiproxy  # <-
from optiproxy import Costs  # <-
from optiproxy.nn import Choice, Value  # <-


def model() -> nn.Module:
    """A multi-layer perceptron; each layer has a width of its own."""
    depth = Value([1, 2, 3, 4], name="depth")  # <- was 1
    widths = [64, *(Value([16, 64, 256, 1024], name=f"width{i}") for i in range(depth))]  # <- was [64, *([64] * depth)]
    activation = Choice([nn.ReLU, nn.GELU, nn.Tanh], name="activation")  # <- was nn.ReLU()
    layers = [nn.Sequential(nn.Linear(before, after), activation) for before, after in pairwise(widths)]
    return nn.Sequential(nn.Flatten(), *layers, nn.Linear(widths[-1], 10))


def train(network: nn.Module) -> dict[str, float]:
    """Train on two thirds of the digits, validate on the rest."""
    digits = load_digits()
    images, labels = torch.tensor(digits.images / 16, dtype=torch.float32), torch.tensor(digits.target)
    optimizer = torch.optim.AdamW(network.parameters(), lr=3e-3)
    draw = torch.Generator().manual_seed(0)
    for _ in range(5):
        for batch in torch.randperm(1200, generator=draw).split(64):
            loss = nn.functional.cross_entropy(network(images[batch]), labels[batch])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    with torch.inference_mode():
        accuracy = (network(images[1200:]).argmax(1) == labels[1200:]).float().mean().item()
    return {"accuracy": 100 * accuracy}


if __name__ == "__main__":
    torch.set_num_threads(1)
    budget = int(sys.argv[1]) if len(sys.argv) > 1 else 30
    space = optiproxy.Space.from_model(model)  # <-
    costs = Costs(torch.zeros(1, 8, 8))  # <-
    # Both are known before any training: what is too large is never trained, and latency is measured once per network.
    free = {"latency_ms": costs.latency_ms, "params": costs.params}  # <-
    wanted = {"objectives": ["accuracy", "latency_ms:min"], "limits": ["params<=1e6"]}  # <-
    found = optiproxy.search(space, train, budget=budget, free=free, **wanted)  # <- was train(model())
    for record in sorted(found.front, key=lambda record: record.metrics["latency_ms"]):  # <-
        print(space.values(record.architecture), dict(record.metrics))  # <-
    print(f"hypervolume {found.hypervolume:.3f}")  # <- was print(found)
