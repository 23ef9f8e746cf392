"""`pydoc-chars`: recurrent cells as language models, trained for real within seconds (docs/decisions/pydoc-chars.md).

The text is Python's own help topics, split in three fixed parts.
"""

from __future__ import annotations

import hashlib
import platform
from collections import Counter
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from optiproxy.errors import DataError
from optiproxy.metrics import Goal, Metric, Objective
from optiproxy.spaces import Architecture
from optiproxy.spaces.published.recurrent import RecurrentSpace
from optiproxy.task.task import Source
from optiproxy.training.tasks.network_task import COSTS, TRAINING_SECONDS, NetworkTask

if TYPE_CHECKING:
    from torch import Tensor

    from optiproxy.training.tasks.recurrent_network import RecurrentNetwork


class PydocCharsTask(NetworkTask["RecurrentNetwork", "Text"]):
    """Predict the next character of Python's own help topics with one recurrent cell.

    Other versions of Python have other help topics, and so other values: the source names the version, and its digest is
    that of the text. Latency and floating-point operations are of reading 16 characters. A training whose loss grows
    beyond all bounds has failed.

    Raises:
        DataError: If this Python comes without its help topics.
    """

    name = "pydoc-chars"
    space = cells = RecurrentSpace()
    metrics = (
        Metric(name="val_bits_per_char", direction="min", unit="bits"),
        Metric(name="test_bits_per_char", direction="min", unit="bits", reported_only=True),
        *COSTS,
        TRAINING_SECONDS,
    )
    goal = Goal((Objective("val_bits_per_char", "min"),))
    fidelities = (1, 3)

    def __init__(self) -> None:
        super().__init__()
        # Not an attribute of the class: the digest needs the text, which is not loaded by listing the tasks.
        self.source = Source(
            "pydoc-topics-v1",
            f"trained here on the help topics of Python {platform.python_version()} (pydoc_data.topics)",
            licence="PSF-2.0",
            digest=digest(),
        )

    def data(self) -> Text:
        return load()

    def arguments(self, architecture: Architecture) -> dict[str, Any]:
        cell = self.cells.cell(architecture)
        return {
            "nodes": tuple((node.operation, node.inputs) for node in cell.nodes),
            "hidden": cell.hidden,
            "characters": self.data().characters,
            # Widths of 32 and 64 are no better (docs/decisions/pydoc-chars.md).
            "width": 48,
        }

    def build(self, arguments: dict[str, Any]) -> RecurrentNetwork:
        from optiproxy.training.tasks.recurrent_network import RecurrentNetwork

        return RecurrentNetwork(**arguments)

    def example(self) -> Tensor:
        import torch

        # Any characters will do: what a network costs does not depend on which they are.
        return torch.arange(16)[None]

    def fit(self, network: RecurrentNetwork, data: Text, *, epochs: int, seed: int) -> None:
        from optiproxy.training.tasks.recipes import TextRecipe, fit_language_model

        # At twice the rate some cells no longer learn (docs/decisions/pydoc-chars.md).
        recipe = TextRecipe(batch=32, window=16, rate=0.015, clip=1.0)
        fit_language_model(network, data.train, recipe=recipe, epochs=epochs, seed=seed)

    def score(self, network: RecurrentNetwork, data: Text) -> dict[str, float]:
        from optiproxy.training.tasks.recipes import bits_per_character

        return {
            "val_bits_per_char": bits_per_character(network, data.validation),
            "test_bits_per_char": bits_per_character(network, data.test),
        }


UNKNOWN = "\N{REPLACEMENT CHARACTER}"
"""Stands for all characters that are rare in the training part."""

TRAIN, VALIDATION = 0.4, 0.3
"""Shares of the first two parts; the test part is what remains."""

_RARE = 10
"""Characters that occur less often than this in the training part are not told apart."""

_LEAST = 100_000
"""Characters that are too few to learn from: every version of Python comes with more than three times as many."""


@dataclass(frozen=True, kw_only=True)
class Text:
    """The three parts of the text as numbers of characters.

    Attributes:
        characters: Characters that are told apart, `UNKNOWN` first.
        train: The beginning of the text, ``(k,)`` positions in ``characters``.
        validation: The part that follows upon it, likewise.
        test: The end of the text, likewise.
    """

    characters: str
    train: Tensor
    validation: Tensor
    test: Tensor


@cache
def topics() -> str:
    """Join all topics in the order of their names, without the paragraphs that have come before.

    Topics repeat paragraphs of others; a repetition in another part would be known by heart.

    Raises:
        DataError: If this Python comes without its help topics.
    """
    try:
        from pydoc_data.topics import topics as by_name
    except ImportError as error:
        raise DataError(
            "Expected Python's help topics (`pydoc_data.topics`), but this Python comes without them. "
            "Use one that has its whole standard library."
        ) from error
    # Sorted, because the order of the dictionary may change between releases of Python.
    paragraphs = [part.strip("\n") for name in sorted(by_name) for part in by_name[name].split("\n\n")]
    text = "\n\n".join(dict.fromkeys(paragraph for paragraph in paragraphs if paragraph.strip()))
    if len(text) < _LEAST:
        raise DataError(
            f"Expected more than {_LEAST:,} characters in Python's help topics (`pydoc_data.topics`), got {len(text):,}. "
            "Use a Python that has its whole standard library."
        )
    return text


@cache
def digest() -> str:
    """Compute the digest of the text in UTF-8, which differs between versions of Python.

    Raises:
        DataError: As for `topics`.
    """
    return "sha256:" + hashlib.sha256(topics().encode()).hexdigest()


@cache
def load() -> Text:
    """Split the text into three blocks, each whole, and number its characters.

    Raises:
        DataError: As for `topics`.
    """
    import torch

    text = topics()
    # Blocks and no lots: neighboring paragraphs resemble each other, and lots would tell the test part to the training
    # part.
    first, second = int(TRAIN * len(text)), int((TRAIN + VALIDATION) * len(text))
    # Counted in the training part alone: which characters the others hold is not known when a model is made.
    counts = Counter(text[:first])
    # Sorted, so that a number means the same character in every process.
    characters = UNKNOWN + "".join(sorted(character for character, count in counts.items() if count >= _RARE))
    numbers = {character: number for number, character in enumerate(characters)}
    # The number 0 is that of `UNKNOWN`.
    everything = torch.tensor([numbers.get(character, 0) for character in text])
    train, validation, test = everything.tensor_split([first, second])
    return Text(characters=characters, train=train, validation=validation, test=test)
