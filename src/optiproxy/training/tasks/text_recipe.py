"""How a small language model of characters is trained, the same way for every architecture."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from optiproxy.training.tasks.recurrent_network import RecurrentNetwork


@dataclass(frozen=True, kw_only=True)
class TextRecipe:
    """Adam (Kingma and Ba, 1412.6980) under a one-cycle learning rate (Smith and Topin, 1708.07120).

    Attributes:
        batch: Places of the text that are read at once.
        window: Characters between two steps; states are carried on, gradients are not. At each step one place in turn
            begins anew: states that only long carrying reaches would be unknown to whoever reads from a beginning.
        rate: Peak learning rate, reached after a fifth of all steps; it ends near zero at any number of epochs.
        clip: Largest norm of a step's gradient (Pascanu, Mikolov, Bengio, 1211.5063).
    """

    batch: int
    window: int
    rate: float
    clip: float


def fit(network: RecurrentNetwork, text: Tensor, *, recipe: TextRecipe, epochs: int, seed: int) -> None:
    """Train in place.

    Where an epoch begins in the text has a stream of its own, so that with one seed every architecture reads the same.

    Args:
        network: Left in training mode.
        text: Numbers of the characters, ``(n,)``.
        recipe: How.
        epochs: Passes over the text.
        seed: Of where the epochs begin.

    Raises:
        FloatingPointError: If the loss is no longer finite.
    """
    stream = torch.Generator().manual_seed(seed)
    steps = sum(1 for _ in _windows(text, recipe.batch, recipe.window))
    optimizer = torch.optim.Adam(network.parameters(), recipe.rate, fused=True)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, recipe.rate, total_steps=epochs * steps, pct_start=0.2, cycle_momentum=False
    )
    places = torch.arange(recipe.batch)[:, None]
    network.train()
    for epoch in range(epochs):
        begin = int(torch.randint(len(text), (), generator=stream))
        states = network.start(recipe.batch)
        for step, (read, following) in enumerate(_windows(text.roll(-begin), recipe.batch, recipe.window)):
            carried = places != step % recipe.batch
            logits, states = network.read(read, [state.detach() * carried for state in states])
            loss = functional.cross_entropy(logits.flatten(0, 1), following.flatten())
            if not math.isfinite(loss.item()):
                raise FloatingPointError(f"The loss became {loss.item()} in step {epoch * steps + step + 1}.")
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(network.parameters(), recipe.clip)
            optimizer.step()
            schedule.step()


@torch.no_grad()
def bits_per_character(network: RecurrentNetwork, text: Tensor, *, batch: int = 256, window: int = 64) -> float:
    """Mean information of the text ``(n,)``, each character given those before it; leaves evaluation mode on.

    The text is read at ``batch`` places at once, so that little of it has nothing before it.

    Raises:
        FloatingPointError: If it is not finite.
    """
    network.eval()
    states = network.start(batch)
    total, count = 0.0, 0
    for read, following in _windows(text, batch, window):
        logits, states = network.read(read, states)
        total += functional.cross_entropy(logits.flatten(0, 1).double(), following.flatten(), reduction="sum").item()
        count += following.numel()
    bits = total / count / math.log(2)
    if not math.isfinite(bits):
        raise FloatingPointError(f"The text has {bits} bits per character.")
    return bits


def _windows(text: Tensor, batch: int, window: int) -> Iterator[tuple[Tensor, Tensor]]:
    """Cut a text ``(n,)`` into ``batch`` equal pieces that are read side by side.

    Yields:
        The next characters of each piece, ``(batch, window)``, and those that follow upon each. What does not fill a
        window at the end is left out.
    """
    length = (len(text) - 1) // batch
    pieces = text[: batch * length].view(batch, length)
    following = text[1 : 1 + batch * length].view(batch, length)
    for start in range(0, length - window + 1, window):
        yield pieces[:, start : start + window], following[:, start : start + window]
