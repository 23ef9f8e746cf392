"""The options of a `Choice` or `Cell`: labels, and how each is made."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias

from torch import nn

from optiproxy.errors import UsageError

Option: TypeAlias = "nn.Module | Callable[[], nn.Module]"
"""A module, or what makes one: a class or a function without arguments. Only the latter costs nothing unless chosen."""

Options: TypeAlias = "Mapping[str, Option] | Sequence[Option]"
"""By label, or in a list; there they are called after their classes or functions where these differ, else by number."""


def labelled(options: Options, name: str) -> dict[str, Option]:
    """Label -> option.

    Raises:
        UsageError: If there is none.
    """
    if not options:
        raise UsageError(f"Decision {name!r} needs at least one option, got none.")
    if isinstance(options, Mapping):
        return {str(label): option for label, option in options.items()}
    labels = [_label(option) for option in options]
    if len(set(labels)) < len(labels) or not all(map(str.isidentifier, labels)):
        labels = [str(position) for position in range(len(labels))]
    return dict(zip(labels, options, strict=True))


def made(option: object, label: str, name: str) -> nn.Module:
    """The module of an option.

    Raises:
        UsageError: If it is no module, and makes none.
    """
    module: object = option if isinstance(option, nn.Module) or not callable(option) else option()
    if not isinstance(module, nn.Module):
        raise UsageError(
            f"Expected option {label!r} of {name!r} to be a module, or a class or function that makes one, "
            f"got {type(module).__name__}."
        )
    return module


def _label(option: Option) -> str:
    return type(option).__name__ if isinstance(option, nn.Module) else str(getattr(option, "__name__", ""))
