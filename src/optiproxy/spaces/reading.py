"""What a function reads of the decisions that it is given."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, final

_OF_ONE = ("__getitem__", "__contains__", "get", "pop", "setdefault")
"""Methods of a dict that ask for the name that they are given."""

# With an iterator of its own, Python copies a dict through `keys` and not past all methods.
_OF_ALL = (
    *("__iter__", "__reversed__", "__len__", "__eq__", "__ne__", "__or__", "__ror__", "__repr__"),
    *("keys", "values", "items", "copy", "popitem"),
)
"""Those whose answer depends on every one. Of decisions that are not reached, which are not there, the number says something."""


@final
class Reading(dict[str, Any]):
    """Decision name -> value, which notes what is asked for.

    Code that is written in C may get past the notes, and then seems to read nothing.

    Attributes:
        read: Names in the order in which they were first asked for.
    """

    def __init__(self, values: dict[str, Any]) -> None:
        super().__init__(values)
        self.read: dict[str, None] = {}


def _noting(method: str, note: Callable[[Reading, tuple[Any, ...]], dict[str, None]]) -> None:
    plain = getattr(dict, method)

    def noted(self: Reading, *arguments: Any) -> Any:  # noqa: ANN401 - as the dict's
        self.read |= note(self, arguments)
        return plain(self, *arguments)

    setattr(Reading, method, noted)


for _method in _OF_ONE:
    _noting(_method, lambda _, arguments: {arguments[0]: None})
for _method in _OF_ALL:
    _noting(_method, lambda reading, _: dict.fromkeys(dict.keys(reading)))
