"""How a small classifier of gray images is trained, the same way for every architecture."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.optim import SGD
from torch.optim.lr_scheduler import OneCycleLR


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """Stochastic gradient descent with Nesterov momentum under a one-cycle learning rate (Smith and Topin, 1708.07120).

    Attributes:
        batch: Images per step; what does not fill a batch is left out of its epoch.
        rate: Peak learning rate, reached after a fifth of all steps; it ends near zero at any number of epochs.
        decay: Weight decay.
        shift: Training images are moved by up to this many pixels each way, drawn anew each time.
    """

    batch: int
    rate: float
    decay: float
    shift: int


def fit(network: nn.Module, images: Tensor, labels: Tensor, *, recipe: Recipe, epochs: int, seed: int) -> None:
    """Train in place.

    Args:
        network: Maps ``(b, 1, h, w)`` to logits ``(b, classes)``; left in training mode.
        images: ``(n, 1, h, w)``.
        labels: ``(n,)``.
        recipe: How.
        epochs: Passes over the images.
        seed: Of order and shifts, see `batches`.
    """
    steps = epochs * (len(images) // recipe.batch)
    optimizer, schedule = descent(network.parameters(), recipe=recipe, steps=steps)
    network.train()
    for some, their_labels in batches(images, labels, recipe=recipe, epochs=epochs, seed=seed):
        loss = functional.cross_entropy(network(some), their_labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()


def batches(
    images: Tensor, labels: Tensor, *, recipe: Recipe, epochs: int, seed: int
) -> Iterator[tuple[Tensor, Tensor]]:
    """Shifted images ``(b, 1, h, w)`` and their labels ``(b,)``, one pair per step.

    Order and shifts have a stream of their own, so that with one seed every architecture sees the same images.
    """
    stream = torch.Generator().manual_seed(seed)
    used = len(images) // recipe.batch * recipe.batch
    for _ in range(epochs):
        order = torch.randperm(len(images), generator=stream)
        for chosen in order[:used].split(recipe.batch):
            yield shifted(images[chosen], by=recipe.shift, stream=stream), labels[chosen]


def descent(parameters: Iterable[nn.Parameter], *, recipe: Recipe, steps: int) -> tuple[SGD, OneCycleLR]:
    """What changes the weights in a training of so many steps; the schedule takes a step after each."""
    optimizer = SGD(parameters, recipe.rate, momentum=0.9, nesterov=True, weight_decay=recipe.decay, fused=True)
    return optimizer, OneCycleLR(optimizer, recipe.rate, total_steps=steps, pct_start=0.2, cycle_momentum=False)


def shifted(images: Tensor, *, by: int, stream: torch.Generator) -> Tensor:
    """Move each of ``(b, 1, h, w)`` images by its own draw from ``-by .. by`` along each axis; zeros come in."""
    b, _, h, w = images.shape
    offsets = torch.randint(0, 2 * by + 1, (2, b, 1), generator=stream)
    rows, columns = offsets[0] + torch.arange(h), offsets[1] + torch.arange(w)
    padded = functional.pad(images, (by, by, by, by))
    which = torch.arange(b)[:, None, None]
    return padded[which, 0, rows[:, :, None], columns[:, None, :]][:, None]


@torch.no_grad()
def accuracy(network: nn.Module, images: Tensor, labels: Tensor) -> float:
    """Share of ``(n, 1, h, w)`` images that are classified right, in percent; leaves the network in evaluation mode."""
    network.eval()
    right = network(images).argmax(dim=1) == labels
    return 100 * right.double().mean().item()
