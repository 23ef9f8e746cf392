"""What a decision may be taken among: plain values as they are, and everything else under a label.

A label is what studies, reports and other programs see of a class, a function or a tuple; the user's own functions are given
the object itself.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from enum import Enum
from itertools import islice, pairwise
from typing import Any, cast

from optiproxy.errors import UsageError

Choice = str | int | float | bool | None
"""A value that a decision may take: anything that Optuna and JSON can store."""

MOST = 100_000
"""Choices of a list; longer ones are ranges."""

LONGEST = 60
"""Characters of a label that is made from how an object prints."""

ORDERED = 3
"""So many numbers in increasing or decreasing order are an order; of two there is none to speak of."""

_ADDRESS = r" at 0x[0-9a-fA-F]+"
_NAMED = re.compile(rf"<(?:class '|(?:built-in )?function )(?:[\w<>]+\.)*([\w<>]+?)(?:'|{_ADDRESS})?>")
"""How classes and functions print within other objects."""


def labelled(given: object, what: str) -> tuple[tuple[Choice, ...], tuple[Any, ...]]:
    """Return the labels of choices, and the choices; for plain values the two are the same.

    Scalars of numpy and torch become Python's. A class or function is labelled by its name, a member of an enumeration by
    that of its class in addition, and anything else by how it prints. What would be the label of another choice is numbered.

    Args:
        given: A list, or anything else that yields its choices in an order.
        what: Whose they are, as in ``"Decision 'depth'"``.

    Raises:
        UsageError: If it is no list, is empty, has a choice twice, or one that is not the same in every process.
    """
    choices = tuple(map(plain, _listed(given, what)))
    if not choices:
        raise UsageError(f"{what} needs at least one choice, got none.")
    # Plain values have their labels already, wherever they stand in the list.
    taken: dict[tuple[bool, Choice], Choice] = {}
    others: list[object] = []
    for choice in choices:
        _check(choice, what)
        if not _is_plain(choice):
            if any(same(known, choice) for known in others):
                raise UsageError(f"{what} lists a choice twice: {choice!r}.")
            others.append(choice)
        elif _key(choice) in taken:
            raise UsageError(f"{what} lists a choice twice: {taken[_key(choice)]!r} and {choice!r} are equal.")
        else:
            taken[_key(choice)] = _value_of(choice)
    if not others:
        return tuple(taken.values()), choices
    labels: list[Choice] = []
    for choice in choices:
        label = taken[_key(choice)] if _is_plain(choice) else _numbered(_label(choice, what), taken)
        taken[_key(label)] = label
        labels.append(label)
    return tuple(labels), choices


def plain(value: Any) -> Any:  # noqa: ANN401 - anything
    """Return a scalar of numpy, torch or the like as Python's own; all else as it is."""
    if getattr(value, "shape", None) == () and hasattr(value, "item"):
        return value.item()
    return value


def same(a: object, b: object) -> bool:
    """Whether two choices are one; ``True == 1`` in Python, but they are two choices."""
    try:
        return a is b or (isinstance(a, bool) == isinstance(b, bool) and bool(a == b))
    except Exception:  # noqa: BLE001 - arrays, for one, have no answer
        return False


def in_order(choices: Sequence[object]) -> bool:
    """Whether these are numbers, three or more, each greater than the one before, or each less."""
    numbers = [choice for choice in choices if isinstance(choice, int | float) and not isinstance(choice, bool)]
    if len(numbers) < max(len(choices), ORDERED):
        return False
    signs = {a < b for a, b in pairwise(numbers)}
    return len(signs) == 1


_TYPES = (str, int, float, bool, type(None))


def _listed(given: object, what: str) -> list[object]:
    """Return the choices of anything that has them in an order."""
    match given:
        case str():
            wrong = f"the text {given!r}. Write [{given!r}]"
        case bytes() | bytearray():
            wrong = f"{given!r}. Write a list of texts"
        case bool() | int() | float():
            wrong = f"the number {given!r}. Write [{given!r}], or Int(low, high) or Float(low, high) for a range"
        case Mapping():
            wrong = "a mapping. Write a list, or a decision for each of its keys"
        case AbstractSet() if not hasattr(given, "mapping"):  # the keys of a mapping have an order
            wrong = "a set, which has another order in each process. Write a list"
        case _ if isinstance(given, type) or not (isinstance(given, Iterable) or hasattr(given, "__getitem__")):
            wrong = f"{given!r}. Write a list"
        case _:
            try:
                found = list(islice(cast("Iterable[object]", given), MOST + 1))
            except TypeError:  # an array without dimensions
                wrong = f"{given!r}. Write [{given!r}]"
            else:
                if len(found) <= MOST:
                    return found
                wrong = f"more than {MOST:,} of them. Write Int(low, high) or Float(low, high) for a range"
    raise UsageError(f"{what} needs a list of choices, got {wrong}.")


def _check(choice: object, what: str) -> None:
    """Refuse what no study could find again."""
    if isinstance(choice, float) and math.isnan(choice):
        raise UsageError(f"{what} lists NaN, which equals nothing. Use None or a text.")
    if isinstance(choice, bytes | bytearray):
        raise UsageError(f"{what} lists the bytes {choice!r}. Decode them to a text.")
    if isinstance(choice, AbstractSet):
        raise UsageError(f"{what} lists a set, which has another order in each process. Use a tuple.")


def _is_plain(choice: object) -> bool:
    return isinstance(choice, _TYPES) and not isinstance(choice, Enum)


def _value_of(choice: object) -> Choice:
    """Return a plain value, also of a type derived from Python's, as one of Python's."""
    match choice:
        case str():
            return str.__str__(choice)
        case float():
            return float.__float__(choice)
        case int() if not isinstance(choice, bool):
            return int.__int__(choice)
        case _:
            return cast("Choice", choice)


def _key(choice: Any) -> tuple[bool, Choice]:  # noqa: ANN401 - plain
    """Equal where two plain values are one choice."""
    return isinstance(choice, bool), choice


def _label(choice: object, what: str) -> str:
    if isinstance(choice, Enum):
        return f"{type(choice).__name__}.{choice.name}"
    name = getattr(choice, "__name__", None)
    if isinstance(name, str):
        return name
    try:
        # Addresses differ from process to process.
        text = " ".join(re.sub(_ADDRESS, "", _NAMED.sub(r"\1", repr(choice))).split())
    except Exception as error:
        reason = f"{type(error).__name__}: {error}"
        raise UsageError(f"{what} lists a {type(choice).__name__} that does not print ({reason}).") from error
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"


def _numbered(label: str, taken: Mapping[tuple[bool, Choice], Choice]) -> str:
    """Return the label, with a number from 2 on where it is taken."""
    numbered, n = label, 1
    while _key(numbered) in taken:
        n += 1
        numbered = f"{label} {n}"
    return numbered
