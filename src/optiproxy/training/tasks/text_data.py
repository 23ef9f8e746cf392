"""The text of Python's own help topics, in three fixed parts."""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from optiproxy.errors import DataError

if TYPE_CHECKING:
    from torch import Tensor

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
    """The three parts.

    Attributes:
        characters: Those that are told apart, `UNKNOWN` first.
        train: Numbers of its characters, ``(n,)``; likewise the others.
        validation: Follows upon it.
        test: The end of the text.
    """

    characters: str
    train: Tensor
    validation: Tensor
    test: Tensor


@cache
def topics() -> str:
    """All topics in the order of their names, without the paragraphs that have come before.

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
    """Of the text in UTF-8. It differs between versions of Python.

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
    first, second = int(TRAIN * len(text)), int((TRAIN + VALIDATION) * len(text))
    counts = Counter(text[:first])
    characters = UNKNOWN + "".join(sorted(character for character, count in counts.items() if count >= _RARE))
    numbers = {character: number for number, character in enumerate(characters)}
    everything = torch.tensor([numbers.get(character, 0) for character in text])
    train, validation, test = everything.tensor_split([first, second])
    return Text(characters=characters, train=train, validation=validation, test=test)
