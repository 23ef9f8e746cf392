"""Names that a package exports without importing where they are defined: torch and Optuna load at first use."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module


def exported(package: str, homes: Mapping[str, str]) -> Callable[[str], object]:
    """The ``__getattr__`` of a package (PEP 562).

    Args:
        package: Its name, for the message where an attribute is missing.
        homes: Exported name -> the module that defines it.
    """

    def attribute(name: str) -> object:
        if name not in homes:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        return getattr(import_module(homes[name]), name)

    return attribute
