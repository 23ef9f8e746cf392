"""Your own convolutional network under a latency limit. Lines that end in `# <-` are what the search has added or changed.

Run ``python examples/own_cnn.py [BUDGET]``; a training takes about 2 seconds on one core.
"""

from __future__ import annotations

import sys

import torch
from sklearn.datasets import load_digits
from torch import Tensor, nn

import optiproxy  # <-
from optiproxy import Costs, TrainingTrial  # <-
from optiproxy.nn import Choice, Repeat, Value  # <-


def block(width: int, i: int) -> nn.Module:
    """Convolve, normalize, activate."""
    kernel = Value([1, 3, 5], name=f"kernel{i}")  # <- was 3
    activation = Choice([nn.ReLU, nn.GELU, nn.SiLU], name="activation")  # <- was nn.ReLU()
    return nn.Sequential(nn.Conv2d(width, width, kernel, padding="same"), nn.BatchNorm2d(width), activation)


def model() -> nn.Module:
    """The network, of which some parts are to be chosen."""
    width = Value([8, 16, 32], name="width")  # <- was 16
    blocks = Repeat(lambda i: block(width, i), [1, 2, 3], name="depth")  # <- was block(width, 0)
    pool = Choice([nn.MaxPool2d(2), nn.AvgPool2d(2)], name="pool")  # <- was nn.MaxPool2d(2)
    return nn.Sequential(nn.Conv2d(1, width, 3, padding=1), blocks, pool, nn.Flatten(), nn.Linear(16 * width, 10))


def train(network: nn.Module, trial: TrainingTrial) -> float:  # <- was def train(network: nn.Module) -> float:
    """Train on two thirds of the digits, validate on the rest."""
    torch.manual_seed(0)
    digits = load_digits()
    images, labels = torch.tensor(digits.images[:, None] / 16, dtype=torch.float32), torch.tensor(digits.target)
    optimizer = torch.optim.AdamW(network.parameters(), lr=3e-3)
    for epoch in range(4):
        for batch in torch.randperm(1200).split(64):
            loss: Tensor = nn.functional.cross_entropy(network.train()(images[batch]), labels[batch])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        with torch.inference_mode():
            accuracy = 100 * float((network.eval()(images[1200:]).argmax(1) == labels[1200:]).float().mean())
        print(f"epoch {epoch}: {accuracy:.1f} %", file=sys.stderr)
        trial.report(accuracy, epoch)  # <-
    return accuracy


if __name__ == "__main__":
    torch.set_num_threads(1)
    budget = int(sys.argv[1]) if len(sys.argv) > 1 else 20
    space = optiproxy.Space.from_model(model)  # <-
    # Measured before any training: what is too slow is never trained.
    free = {"latency_ms": Costs(torch.zeros(1, 1, 8, 8)).latency_ms}  # <-
    found = optiproxy.search(space, train, budget=budget, free=free, limits=["latency_ms<=1"])  # <- was train(model())
    print(found.best_architecture, found.best and dict(found.best.metrics))  # <- was print(found)
