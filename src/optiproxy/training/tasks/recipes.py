"""How networks are trained, the same way for every architecture: a classifier of images, a language model of characters.

Both recipes use a one-cycle learning rate (Smith and Topin, 1708.07120), so that a training of any length ends at a rate near
zero, and random streams of their own, so that with one seed every architecture sees the same data in the same order.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.optim import SGD, Optimizer
from torch.optim.lr_scheduler import OneCycleLR

from optiproxy.training.tasks.recurrent_network import RecurrentNetwork


def one_cycle(optimizer: Optimizer, *, rate: float, steps: int) -> OneCycleLR:
    """Make the schedule: the peak ``rate`` after a fifth of ``steps``, near zero at their end; it takes a step after each."""
    # The momentum stays, so that Adam and gradient descent share one schedule, of the rate alone.
    return OneCycleLR(optimizer, rate, total_steps=steps, pct_start=0.2, cycle_momentum=False)


@dataclass(frozen=True, kw_only=True)
class ImageRecipe:
    """Stochastic gradient descent with Nesterov momentum.

    Attributes:
        batch: Images per step; what does not fill a batch is left out of its epoch.
        rate: Peak learning rate.
        decay: Weight decay.
        shift: Training images are moved by up to this many pixels each way, drawn anew each time.
    """

    batch: int
    rate: float
    decay: float
    shift: int


def fit_classifier(
    network: nn.Module, images: Tensor, labels: Tensor, *, recipe: ImageRecipe, epochs: int, seed: int
) -> None:
    """Train a classifier of gray images in place.

    Args:
        network: Maps ``(b, 1, height, width)`` to logits ``(b, classes)``; left in training mode.
        images: ``(k, 1, height, width)``.
        labels: ``(k,)``.
        recipe: How to train.
        epochs: Passes over the images.
        seed: Seed of order and shifts, see `batches`.
    """
    # The schedule has to know its end before the first step.
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
    images: Tensor, labels: Tensor, *, recipe: ImageRecipe, epochs: int, seed: int
) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield shifted images ``(b, 1, height, width)`` and their labels ``(b,)``, one pair per step."""
    stream = torch.Generator().manual_seed(seed)
    # Whole batches alone: the normalization statistics of a small rest would be noisier than those of the others.
    used = len(images) // recipe.batch * recipe.batch
    for _ in range(epochs):
        order = torch.randperm(len(images), generator=stream)
        for chosen in order[:used].split(recipe.batch):
            yield shifted(images[chosen], by=recipe.shift, stream=stream), labels[chosen]


def descent(parameters: Iterable[nn.Parameter], *, recipe: ImageRecipe, steps: int) -> tuple[SGD, OneCycleLR]:
    """Make the optimizer of a training of so many steps, with its schedule."""
    # Fused: networks this small spend their time on the overhead of each parameter and not on arithmetic.
    optimizer = SGD(parameters, recipe.rate, momentum=0.9, nesterov=True, weight_decay=recipe.decay, fused=True)
    return optimizer, one_cycle(optimizer, rate=recipe.rate, steps=steps)


def shifted(images: Tensor, *, by: int, stream: torch.Generator) -> Tensor:
    """Move each of ``(b, 1, height, width)`` images by its own draw from ``-by .. by`` along each axis; zeros come in."""
    b, _, height, width = images.shape
    # One draw for each image and axis, and one gather for all images instead of a loop over them.
    offsets = torch.randint(0, 2 * by + 1, (2, b, 1), generator=stream)
    rows, columns = offsets[0] + torch.arange(height), offsets[1] + torch.arange(width)
    padded = functional.pad(images, (by, by, by, by))
    which = torch.arange(b)[:, None, None]
    return padded[which, 0, rows[:, :, None], columns[:, None, :]][:, None]


@torch.no_grad()
def accuracy(network: nn.Module, images: Tensor, labels: Tensor) -> float:
    """Measure how many of ``(k, 1, height, width)`` images are classified right; leaves the network in evaluation mode.

    Returns:
        Percent.
    """
    network.eval()
    # In double precision, so that the percentage is a count over the number of images to the last digit.
    right = network(images).argmax(dim=1) == labels
    return 100 * right.double().mean().item()


@dataclass(frozen=True, kw_only=True)
class TextRecipe:
    """Adam (Kingma and Ba, 1412.6980) and truncated backpropagation through time.

    Attributes:
        batch: Places of the text that are read at once.
        window: Characters between two steps; states are carried on, gradients are not. At each step one place in turn
            begins anew: states that only long carrying reaches would be unknown to whoever reads from a beginning.
        rate: Peak learning rate.
        clip: Largest norm of a step's gradient (Pascanu, Mikolov, Bengio, 1211.5063).
    """

    batch: int
    window: int
    rate: float
    clip: float


def fit_language_model(network: RecurrentNetwork, text: Tensor, *, recipe: TextRecipe, epochs: int, seed: int) -> None:
    """Train a language model in place.

    Args:
        network: The network, left in training mode.
        text: Numbers of the characters, ``(k,)``.
        recipe: How to train.
        epochs: Passes over the text.
        seed: Seed of where in the text the epochs begin.

    Raises:
        FloatingPointError: If the loss is no longer finite.
    """
    stream = torch.Generator().manual_seed(seed)
    steps = sum(1 for _ in _windows(text, recipe.batch, recipe.window))
    optimizer = torch.optim.Adam(network.parameters(), recipe.rate, fused=True)
    schedule = one_cycle(optimizer, rate=recipe.rate, steps=epochs * steps)
    places = torch.arange(recipe.batch)[:, None]
    network.train()
    for epoch in range(epochs):
        # Elsewhere each time, so that windows are not cut at the same characters.
        begin = int(torch.randint(len(text), (), generator=stream))
        states = network.start(recipe.batch)
        for step, (read, following) in enumerate(_windows(text.roll(-begin), recipe.batch, recipe.window)):
            carried = places != step % recipe.batch
            logits, states = network.read(read, [state.detach() * carried for state in states])
            loss = functional.cross_entropy(logits.flatten(0, 1), following.flatten())
            # Some cells diverge. Going on would only take time, and that a training fails is an answer, too.
            if not math.isfinite(loss.item()):
                raise FloatingPointError(f"The loss became {loss.item()} in step {epoch * steps + step + 1}.")
            optimizer.zero_grad()
            loss.backward()
            # Through a recurrence over many characters gradients may explode; scaling them down is the remedy of Pascanu et
            # al.
            nn.utils.clip_grad_norm_(network.parameters(), recipe.clip)
            optimizer.step()
            schedule.step()


@torch.no_grad()
def bits_per_character(network: RecurrentNetwork, text: Tensor, *, batch: int = 256, window: int = 64) -> float:
    """Measure the mean information of a text ``(k,)``, each character given those before it; leaves evaluation mode on.

    The text is read at ``batch`` places at once, few enough that little of it has nothing before it.

    Raises:
        FloatingPointError: If it is not finite.
    """
    network.eval()
    states = network.start(batch)
    total, count = 0.0, 0
    for read, following in _windows(text, batch, window):
        logits, states = network.read(read, states)
        # Summed in double precision: tens of thousands of terms.
        total += functional.cross_entropy(logits.flatten(0, 1).double(), following.flatten(), reduction="sum").item()
        count += following.numel()
    bits = total / count / math.log(2)
    if not math.isfinite(bits):
        raise FloatingPointError(f"The text has {bits} bits per character.")
    return bits


def _windows(text: Tensor, batch: int, window: int) -> Iterator[tuple[Tensor, Tensor]]:
    """Cut a text ``(k,)`` into ``batch`` equal pieces that are read side by side.

    Yields:
        The next characters of each piece, ``(batch, window)``, and those that follow upon each. What does not fill a
        window at the end is left out.
    """
    length = (len(text) - 1) // batch
    pieces = text[: batch * length].view(batch, length)
    following = text[1 : 1 + batch * length].view(batch, length)
    for start in range(0, length - window + 1, window):
        yield pieces[:, start : start + window], following[:, start : start + window]
