"""The other end of the pipe: runs as a script, in the environment of a package.

It is given the path of a file with a function ``suggest(question)`` that yields suggestions, and reads one JSON object
per line: a question, answered with its first suggestion, or ``{"next": true}``, answered with the next one of the last
question. An answer is ``{"chosen": [...]}``, ``{"chosen": null}`` where there is no further one, or ``{"failure": "..."}``.
It ends when its input does. Nothing is kept from one question to the next.

``counts`` of a question holds the number of choices of each decision, ``levels`` the places of ordered ones on a scale
from 0 to 1, or null where they have no order; of these, trials and suggestions hold positions from 0 on. Where the count is
null the decision is a number, of which they hold the place on its scale, a float from 0 to 1.
"""

from __future__ import annotations

import importlib.util
import json
import os
import sys
import traceback
from collections.abc import Iterator, Sequence
from numbers import Integral
from types import ModuleType, SimpleNamespace


def main(path: str) -> None:
    """Answer until the input ends."""
    # What a package prints must not get between the answers.
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    suggest = _load(path).suggest
    suggestions: Iterator[Sequence[float]] = iter(())
    for line in sys.stdin:
        message = json.loads(line)
        try:
            if "counts" in message:
                # A new question drops the generator of the one before, whatever it still had to offer.
                suggestions = suggest(SimpleNamespace(**message))
            chosen = next(suggestions, None)
            answer = {"chosen": None if chosen is None else list(map(_plain, chosen))}
        except Exception as error:  # noqa: BLE001 - whatever a package raises is told to who asked
            traceback.print_exc()
            answer = {"failure": f"{type(error).__name__}: {error}"}
        answers.write(json.dumps(answer) + "\n")
        answers.flush()


def _plain(number: float) -> float:
    # What packages compute with is often numpy's, which JSON does not know.
    return int(number) if isinstance(number, Integral) else float(number)


def _load(path: str) -> ModuleType:
    # Under a name of its own, so that no file hides the package that it imports.
    spec = importlib.util.spec_from_file_location("optiproxy_server", path)
    if spec is None or spec.loader is None:
        raise ImportError(f"{path} is no Python file.")
    # Known by that name, too: a dataclass looks up the module it is defined in.
    module = sys.modules[spec.name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


if __name__ == "__main__":
    main(sys.argv[1])
