"""What a space of networks costs: building one against constructing it by hand, and opening a very large space.

    python benchmarks/building.py

The networks by hand are those that `space.build` gives, written without its parts. Processor time; of many repetitions the
median, taken in turns.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

import torch
from torch import nn

from optiproxy.nn import Cell, Choice, Repeat, Value
from optiproxy.spaces import Space

REPETITIONS = 60


def block(width: int, i: int) -> nn.Module:
    """Convolve, normalize, activate."""
    kernel = Value([1, 3, 5], name=f"kernel{i}")
    activation = Choice([nn.ReLU, nn.GELU, nn.SiLU], name="activation")
    return nn.Sequential(nn.Conv2d(width, width, kernel, padding="same"), nn.BatchNorm2d(width), activation)


def small() -> nn.Module:
    """A small convolutional network."""
    width = Value([8, 16], name="width")
    return nn.Sequential(
        nn.Conv2d(1, width, 3, padding=1),
        Repeat(lambda i: block(width, i), [3, 2, 1], name="depth"),
        nn.Flatten(),
        nn.Linear(64 * width, 10),
    )


def small_by_hand() -> nn.Module:
    """The first of `small`."""
    blocks = [nn.Sequential(nn.Conv2d(8, 8, 1, padding="same"), nn.BatchNorm2d(8), nn.ReLU()) for _ in range(3)]
    return nn.Sequential(nn.Conv2d(1, 8, 3, padding=1), nn.Sequential(*blocks), nn.Flatten(), nn.Linear(512, 10))


def large() -> nn.Module:
    """More than 10^30 deep networks."""
    width = Value([64, 32], name="width")
    layers = [
        Choice(
            {"linear": lambda: nn.Linear(width, width), "skip": nn.Identity, "norm": lambda: nn.LayerNorm(width)},
            name=f"layer{i}",
        )
        for i in range(64)
    ]
    return nn.Sequential(*layers)


def large_by_hand() -> nn.Module:
    """The first of `large`."""
    return nn.Sequential(*(nn.Linear(64, 64) for _ in range(64)))


def graph() -> nn.Module:
    """A searched cell."""
    options = {
        "conv": lambda: nn.Conv2d(16, 16, 3, padding=1),
        "pool": lambda: nn.AvgPool2d(3, 1, 1),
        "skip": nn.Identity,
    }
    return nn.Sequential(*(Cell(options, nodes=5, inputs=2, name="cell") for _ in range(6)))


def graph_by_hand() -> nn.Module:
    """What the first of `graph` is made of."""
    return nn.Sequential(*(nn.ModuleList(nn.Conv2d(16, 16, 3, padding=1) for _ in range(9)) for _ in range(6)))


def seconds(made: Callable[[], object]) -> float:
    """Processor time of one call."""
    start = time.process_time()
    made()
    return time.process_time() - start


def main() -> None:
    """Print one line per network."""
    torch.set_num_threads(1)
    print(f"{'network':<10}{'size':>10}{'opens in ms':>14}{'build in ms':>14}{'by hand in ms':>16}{'ratio':>8}")
    for name, model, by_hand in (
        ("small", small, small_by_hand),
        ("large", large, large_by_hand),
        ("graph", graph, graph_by_hand),
    ):
        opening = statistics.median(seconds(lambda model=model: Space.from_model(model)) for _ in range(5))
        space = Space.from_model(model)
        first = (0,) * len(space.decisions)
        pairs = [
            (seconds(lambda space=space, first=first: space.build(first)), seconds(by_hand)) for _ in range(REPETITIONS)
        ]
        built, made = (1e3 * statistics.median(column) for column in zip(*pairs, strict=True))
        shown = f"{space.size:.1e}"
        print(f"{name:<10}{shown:>10}{1e3 * opening:>14.1f}{built:>14.3f}{made:>16.3f}{built / made:>8.2f}")


if __name__ == "__main__":
    main()
