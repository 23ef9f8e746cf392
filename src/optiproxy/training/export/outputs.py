"""What a network returns, as a file can hold it: tensors in tuples, lists and dicts, whose classes need no import."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import fields, is_dataclass
from typing import Any, TypeAlias

from torch import Tensor, nn

from optiproxy.errors import ExportError

Plain: TypeAlias = "Tensor | tuple[Plain, ...] | list[Plain] | dict[Any, Plain] | None"
"""Outputs without classes of anybody's own."""


def plain(output: object) -> Plain:
    """Return outputs without the classes that hold them: a named tuple is a tuple, a dataclass or mapping a dict.

    Raises:
        ExportError: If something else than a tensor is among them.
    """
    match output:
        case Tensor() | None:
            return output
        case tuple():
            return tuple(map(plain, output))
        case list():
            return [*map(plain, output)]
        case _ if (named := _by_name(output)) is not None:
            return {name: plain(value) for name, value in named.items()}
        case _:
            raise ExportError(
                f"Expected outputs that are tensors, in tuples, lists, dicts or dataclasses, got {type(output).__name__}. "
                "Return it as a tensor, or leave it out."
            )


def tensors(output: object) -> list[Tensor]:
    """Return the tensors among a network's outputs, in their order."""
    return [tensor for _, tensor in _tensors(output, ())]


def check_outputs(output: object) -> None:
    """Raise `ExportError` unless a file can hold what a network returns."""
    plain(output)
    if not tensors(output):
        raise ExportError("Expected outputs with a tensor among them, got none. Return what the network is for.")


def output_names(output: object) -> list[str]:
    """Name every tensor of a network's outputs by the keys and fields that lead to it, joined by dots.

    Returns:
        Names in the order of the tensors; empty where some have no name or two the same.
    """
    names = [".".join(path) for path, _ in _tensors(output, ())]
    # Positions alone are no names.
    usable = len(set(names)) == len(names) and all(name and not name[0].isdigit() for name in names)
    return names if usable else []


def plainly(network: nn.Module) -> AbstractContextManager[object]:
    """Let a network return plain outputs while the context lasts, its weights named as ever."""
    return network.register_forward_hook(lambda _network, _inputs, output: plain(output))


def _by_name(output: Any) -> Mapping[Any, Any] | None:  # noqa: ANN401 - whatever a network returns
    """The parts of what has names for them: fields of a dataclass or of a named tuple, keys of a mapping."""
    # A class is no instance, though `is_dataclass` takes both.
    if is_dataclass(output) and not isinstance(output, type):
        return {field.name: getattr(output, field.name) for field in fields(output)}
    if isinstance(output, tuple):
        named: tuple[str, ...] = getattr(output, "_fields", ())
        return dict(zip(named, output, strict=True)) if named else None
    return output if isinstance(output, Mapping) else None


def _tensors(output: Any, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Tensor]]:  # noqa: ANN401 - the same
    if isinstance(output, Tensor):
        yield path, output
        return
    parts = _by_name(output)
    if parts is None:
        parts = dict(enumerate(output)) if isinstance(output, tuple | list) else {}
    for name, part in parts.items():
        yield from _tensors(part, (*path, str(name)))
