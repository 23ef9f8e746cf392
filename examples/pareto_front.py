"""Accuracy against latency: the front of networks that no other beats in both. Lines that end in `# <-` are the search's.

Run ``python examples/pareto_front.py [BUDGET]``; a training takes about a second on one core.
"""

from __future__ import annotations

import sys
from itertools import pairwise

import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.utils.benchmark import Timer

import optiproxy  # <-
from optiproxy.nn import Choice, Value  # <-


def model() -> nn.Module:
    """A multi-layer perceptron; each layer has a width of its own."""
    depth = Value([1, 2, 3, 4], name="depth")  # <- was 1
    widths = [64, *(Value([16, 64, 256, 1024], name=f"width{i}") for i in range(depth))]  # <- was [64, 64]
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
        timer = Timer("network(image)", globals={"network": network, "image": images[:1]}, num_threads=1)
        latency = timer.timeit(200).median
    return {"accuracy": 100 * accuracy, "latency_us": 1e6 * latency}


if __name__ == "__main__":
    torch.set_num_threads(1)
    budget = int(sys.argv[1]) if len(sys.argv) > 1 else 30
    space = optiproxy.Space.from_model(model)  # <-
    result = optiproxy.search(space, train, budget=budget, objectives=["accuracy", "latency_us:min"])  # <-
    for record in sorted(result.front, key=lambda record: record.metrics["latency_us"]):
        print(space.values(record.architecture), dict(record.metrics))
