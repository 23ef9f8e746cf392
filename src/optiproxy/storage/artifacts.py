"""Files that trainings leave behind: kept of the best, as Optuna's artifacts, and removed of the others."""

from __future__ import annotations

import json
import mimetypes
import re
import shutil
import tempfile
import uuid
import warnings
from collections.abc import Collection, Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, final

from optuna.artifacts import FileSystemArtifactStore
from optuna.artifacts.exceptions import ArtifactNotFound

from optiproxy.errors import UsageError
from optiproxy.storage.backends.opening import file_of

if TYPE_CHECKING:
    from optuna.trial import FrozenTrial

PREFIX = "artifacts:"
"""Before the system attributes in which Optuna describes the files of a trial."""


@final
class Artifacts:
    """The files of one study, in one folder.

    Trainings write into a folder of their own each. When one ends, its files become artifacts of its trial, so that
    whatever reads Optuna's artifacts finds them.

    Args:
        root: The folder, made when it is first needed; None for a temporary one.

    Attributes:
        root: The same; None as long as there is none.
    """

    def __init__(self, root: Path | None) -> None:
        self.root = root

    def folder(self, trial: FrozenTrial) -> Path | None:
        """Where a training may write while it runs, once it has made that folder; None where it is to take a temporary one.

        What a killed process has left there is not the training's own: `discard` it before.
        """
        return None if self.root is None else self.root / f"running-{trial.number}"

    def receipt(self, trial: FrozenTrial, run: str) -> Path | None:
        """Where a worker writes down how an evaluation has ended (`optiproxy.execution.receipts`); None without a folder.

        Args:
            trial: That is evaluated.
            run: The search that does. Another one may have begun a trial of the same number, in a study that is gone.
        """
        return (
            None if self.root is None else self.root / f"returned-{trial.number}-{re.sub(r'[^0-9a-f]', '', run)}.json"
        )

    def close(self) -> None:
        """Remove the folder if there is nothing in it."""
        with suppress(OSError):
            if self.root is not None:
                self.root.rmdir()
                self.root.parent.rmdir()

    def take(self, trial: FrozenTrial, folder: Path | None) -> Mapping[str, str]:
        """Make what a training has written artifacts of its trial. Called when it has ended and is about to be told.

        What cannot be kept, because the disk is full, is given up with a warning: the result counts all the same.

        Args:
            trial: That has ended.
            folder: Where it has written; nothing happens where there is none, or none on this machine.

        Returns:
            System attributes that describe the files. The trial is to hold them when it ends.
        """
        described: dict[str, str] = {}
        if folder is None or not folder.is_dir():
            return described
        try:
            if self.root is None:
                self.root = Path(tempfile.mkdtemp(prefix="optiproxy-"))
            # A link may lead anywhere.
            for path in sorted(path for path in folder.rglob("*") if path.is_file() and not path.is_symlink()):
                described |= _upload(FileSystemArtifactStore(self.root), path, path.relative_to(folder).as_posix())
        except OSError as error:
            warnings.warn(
                f"The files of query {trial.number} could not all be kept ({error.strerror}). Its result counts; make room, "
                "or keep the files of fewer with search(keep=).",
                stacklevel=2,
            )
        shutil.rmtree(folder, ignore_errors=True)
        return described

    def discard(self, trial: FrozenTrial, temporary: Path | None = None) -> None:
        """Remove what a training that is not kept has written.

        Args:
            trial: Of the training.
            temporary: Where it has written, if not in its `folder`.
        """
        for folder in (self.folder(trial), temporary):
            # A link that somebody has put there would lead the next training elsewhere; what it leads to is not ours.
            if folder is not None and folder.is_symlink():
                folder.unlink(missing_ok=True)
            elif folder is not None:
                shutil.rmtree(folder, ignore_errors=True)

    def retain(self, trials: Collection[FrozenTrial], best: Collection[int]) -> None:
        """Remove the files of all trials but the best.

        Args:
            trials: Of the study.
            best: Numbers of the trials that keep their files.
        """
        if self.root is None or not self.root.is_dir():
            return
        store = FileSystemArtifactStore(self.root)
        for trial in trials:
            if trial.number not in best:
                for path in kept_files(trial, self.root).values():
                    try:
                        store.remove(path.name)
                    except (ArtifactNotFound, PermissionError):  # another process was first, or someone reads it
                        continue


def _upload(store: FileSystemArtifactStore, path: Path, name: str) -> dict[str, str]:
    """Store a file as `optuna.artifacts.upload_artifact` does, but with the folders in its name, and return what describes it."""
    identity = str(uuid.uuid4())
    kind, encoding = mimetypes.guess_type(name)
    described = {
        "artifact_id": identity,
        "filename": name,
        "mimetype": kind or "application/octet-stream",
        "encoding": encoding,
    }
    with path.open("rb") as file:
        store.write(identity, file)
    return {PREFIX + identity: json.dumps(described)}


def kept_files(trial: FrozenTrial, root: Path | None) -> Mapping[str, Path]:
    """Name -> where the file lies, of each that a training has left and that is still there.

    Args:
        trial: As stored.
        root: Where the study's artifacts are; None where nobody knows, and none are found.
    """
    found: dict[str, Path] = {}
    if root is None:
        return found
    for key, described in trial.system_attrs.items():
        if key.startswith(PREFIX):
            content = json.loads(described)
            identity = str(content["artifact_id"])
            # What is stored must not lead out of the folder, nor may a link in there.
            if Path(identity).name == identity and (root / identity).is_file() and not (root / identity).is_symlink():
                found[str(content["filename"])] = root / identity
    return found


def artifacts_root(storage: str, study: str) -> Path | None:
    """Where the files of a study lie if nobody says otherwise: beside its SQLite or journal file; None for other storages.

    Args:
        storage: Its address.
        study: Name of the study.
    """
    path = file_of(storage)
    return None if path is None else path.absolute().with_name(f"{path.stem}-files") / folder_name(study)


def files_of(artifacts: str | Path | None, storage: str, study: str) -> Path | None:
    """Where the files of a study lie: below a folder that was given, or `artifacts_root`.

    Raises:
        UsageError: If the folder cannot be made.
    """
    if artifacts is None:
        return artifacts_root(storage, study)
    # Absolute, because a training may change the current folder.
    root = Path(artifacts).absolute() / folder_name(study)
    try:
        root.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(
            f"Cannot make the folder {root} for files of trainings ({error.strerror}). Name another."
        ) from error
    return root


def folder_name(study: str) -> str:
    """The name of a study as that of a folder, without what not every file system takes."""
    return re.sub(r"[^\w.+-]", "_", study).strip(".") or "study"
