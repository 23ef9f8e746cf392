"""Results that their study could not take, because its storage was away: a private file for each, until the study has it."""

from __future__ import annotations

import json
import os
import warnings
from collections.abc import Iterator, Sequence
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast, final

from optuna.trial import FrozenTrial, TrialState, create_trial

from optiproxy import files
from optiproxy.errors import UsageError
from optiproxy.storage.schema import OWNER

if TYPE_CHECKING:
    from optiproxy.storage.parameters import Parameters

NAME = "unstored"
"""Of the folder."""


@final
class Stranded:
    """The results of one study that wait beside it. They hold nothing that could be executed.

    Args:
        folders: Where they may be, best first; none of a study in memory.
        parameters: Of the space.
    """

    def __init__(self, folders: Sequence[Path], parameters: Parameters) -> None:
        self._folders = folders
        self._parameters = parameters

    def keep(self, ended: FrozenTrial) -> None:
        """Write down how a trial has ended, in the first folder that takes it; in none, if all are full."""
        content = {
            "number": ended.number,
            "state": ended.state.name,
            "values": ended.values,
            "params": ended.params,
            "user_attrs": ended.user_attrs,
            "system_attrs": ended.system_attrs,
            "curve": [*ended.intermediate_values.items()],
        }
        for folder in self._folders:
            with suppress(UsageError, OSError):
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
                files.write(folder / _name(ended), json.dumps(content), mode=files.PRIVATE)
                return

    def where(self, ended: FrozenTrial) -> Path | None:
        """Where a result lies; None where it could not be kept."""
        return next((path for folder in self._folders if (path := folder / _name(ended)).is_file()), None)

    def drop(self, ended: FrozenTrial) -> None:
        """Forget a result: the study has it."""
        for folder in self._folders:
            with suppress(OSError):
                (folder / _name(ended)).unlink()
                folder.rmdir()  # refused while it holds others

    def __iter__(self) -> Iterator[FrozenTrial]:
        """All that wait, with the numbers that they had."""
        for path in [path for folder in self._folders for path in sorted(folder.glob("*.json"))]:
            try:
                yield self._read(json.loads(path.read_text(encoding="utf-8")))
            except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
                warnings.warn(f"The result in {path} cannot be read ({error}). Mend or remove the file.", stacklevel=2)

    def _read(self, content: dict[str, Any]) -> FrozenTrial:
        trial = create_trial(
            state=TrialState[content["state"]],
            values=content["values"],
            params=content["params"],
            distributions={name: self._parameters.distributions[name] for name in content["params"]},
            user_attrs=content["user_attrs"],
            system_attrs=content["system_attrs"],
            intermediate_values={int(step): float(value) for step, value in content["curve"]},
        )
        trial.number = int(content["number"])
        _name(trial)
        return trial


def folders(root: Path | None, storage: str, study: str) -> tuple[Path, ...]:
    """Return where results of a study may wait: beside its files, and in the user's cache folder.

    Args:
        root: Folder of the study's files; None where there is none.
        storage: Its address, without passwords; empty where it is in memory.
        study: Its name.
    """
    if not storage:
        return ()
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "optiproxy" / NAME
    digest = sha256(f"{storage}\n{study}".encode()).hexdigest()[:16]
    return (*([] if root is None else [root / NAME]), cache / digest)


def _name(trial: FrozenTrial) -> str:
    run = cast("dict[str, Any]", trial.system_attrs[OWNER])["run"]
    return f"{int(str(run), 16):012x}-{trial.number}.json"
