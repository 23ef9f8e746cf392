"""What a worker writes down when an evaluation ends, so that nothing is lost where the process that searches is killed.

Between the end of a training and the storing of its result lie a pipe, and whatever that process is doing.
"""

from __future__ import annotations

import json
import os
import warnings
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, fields, replace
from pathlib import Path
from typing import Any

from optiproxy.execution.evaluation import Evaluation


def with_receipt(path: Path, evaluate: Callable[..., Evaluation], /, *arguments: Any, **named: Any) -> Evaluation:  # noqa: ANN401 - those of `evaluate`
    """Evaluate, and write down what came of it before that is handed back. Called in the worker.

    Args:
        path: Where to; nothing is written where its folder is not there, as on another machine, or takes nothing.
        evaluate: Is called.
        *arguments: What with.
        **named: And what with by name.
    """
    evaluation = evaluate(*arguments, **named)
    draft = path.with_suffix(".part")
    with suppress(OSError):
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump(asdict(evaluation), file, default=str)
        draft.replace(path)
    return evaluation


def read(path: Path, *, folder: Path | None) -> Evaluation | None:
    """The evaluation that was written down; None where there is none, or, with a warning, nothing that can be read.

    Args:
        path: Where.
        folder: Where that evaluation may have left files. A path that a file names is not followed.
    """
    if not path.is_file():
        return None
    try:
        content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        found = Evaluation(**{field.name: content[field.name] for field in fields(Evaluation)})
        return replace(
            found,
            metrics={str(name): float(value) for name, value in found.metrics.items()},
            curve={int(step): float(value) for step, value in found.curve.items()},
            missing=tuple(found.missing),
            folder=folder if found.folder else None,
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        warnings.warn(
            f"What a training has left in {path} cannot be read ({error}), so it is tried again.", stacklevel=2
        )
        return None
