"""Your own convolutional network under a latency limit. Lines that end in `# <-` are what the search has added.

Run ``python examples/own_cnn.py [BUDGET]``; a training takes about 2 seconds on one core.
"""

from __future__ import annotations

import sys
import time

import torch
from sklearn.datasets import load_digits
from torch import Tensor, nn

import optiproxy  # <-
from optiproxy.nn import Choice, Repeat, Value  # <-


def block(width: int, i: int) -> nn.Module:
    """Convolve, normalize, activate."""
    kernel = Value([1, 3, 5], name=f"kernel{i}")  # <- was 3
    activation = Choice([nn.ReLU, nn.GELU, nn.SiLU], name="activation")  # <- was nn.ReLU()
    return nn.Sequential(nn.Conv2d(width, width, kernel, padding="same"), nn.BatchNorm2d(width), activation)


def model() -> nn.Module:
    """The network, of which some parts are to be chosen."""
    width = Value([8, 16, 32], name="width")  # <- was 16
    pool = Choice(
        {"max": lambda: nn.MaxPool2d(2), "avg": lambda: nn.AvgPool2d(2)}, name="pool"
    )  # <- was nn.MaxPool2d(2)
    return nn.Sequential(
        nn.Conv2d(1, width, 3, padding=1),
        Repeat(lambda i: block(width, i), [1, 2, 3], name="depth"),  # <- was block(width, 0)
        pool,
        nn.Flatten(),
        nn.Linear(16 * width, 10),
    )


def latency_ms(network: nn.Module) -> float:
    """Median time of one image."""
    times: list[float] = []
    with torch.inference_mode():
        for _ in range(30):
            start = time.perf_counter()
            network.eval()(torch.zeros(1, 1, 8, 8))
            times.append(1e3 * (time.perf_counter() - start))
    return sorted(times)[len(times) // 2]


def train(network: nn.Module, trial: optiproxy.TrainingTrial) -> dict[str, float]:  # <- was train(network)
    """Train on two thirds of the digits, validate on the rest."""
    torch.manual_seed(trial.seed)
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
        trial.report(accuracy, epoch)  # <-
    return {"accuracy": accuracy}


if __name__ == "__main__":
    torch.set_num_threads(1)
    budget = int(sys.argv[1]) if len(sys.argv) > 1 else 20
    space = optiproxy.Space.from_model(model)  # <-
    # Measured before any training: what is too slow is never trained.
    result = optiproxy.search(
        space, train, budget=budget, limits=["latency_ms<=1"], free={"latency_ms": latency_ms}
    )  # <-
    print(result.best_architecture, dict(result.best.metrics) if result.best else "nothing feasible")
