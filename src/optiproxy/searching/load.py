"""The result of a stored search, read back from its study."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

from optiproxy import registry
from optiproxy.metrics import Goal
from optiproxy.results.result import Reason, SearchResult
from optiproxy.searching.phases import awaiting_promotion
from optiproxy.spaces import Space
from optiproxy.storage.artifacts import files_of
from optiproxy.storage.backends.opening import Storage, address_of
from optiproxy.storage.backends.secrets import shown
from optiproxy.storage.identity import (
    check_stored,
    goal_from_json,
    protocol_from_json,
    source_from_json,
    space_from_json,
)
from optiproxy.storage.parameters import Parameters
from optiproxy.storage.record import Record
from optiproxy.storage.schema import STOPPED, finished_records, is_exhausted
from optiproxy.storage.study import as_written, closed, storage_errors, stored_study
from optiproxy.task.protocol import QueryProtocol
from optiproxy.task.task import Task

if TYPE_CHECKING:
    from optuna.study import Study


def load(storage: Storage, study: str | None = None, *, artifacts: str | Path | None = None) -> SearchResult:
    """The result, so far, of a stored search.

    Args:
        storage: SQLite file, address or one of Optuna's storages, as for `optiproxy.search`.
        study: Its name; None where the storage holds just one.
        artifacts: Folder of the files that trainings have saved, where the search was given one.

    Raises:
        StudyError: If there is no such study, or it cannot be read.
    """
    opened, content = stored_study(storage, study)
    with as_written(opened.study_name), storage_errors(storage), closed(opened):
        return _result_of(opened, content, address_of(storage), artifacts)


def _result_of(study: Study, content: Mapping[str, Any], storage: str, artifacts: str | Path | None) -> SearchResult:
    check_stored(content)
    task = registry.known_task(content["task"], content["space"])
    space = task.space if task else space_from_json(content)
    goal, protocol, source = goal_from_json(content), protocol_from_json(content), source_from_json(content)
    trials = study.get_trials(deepcopy=False)
    records = tuple(finished_records(trials, Parameters(space), files_of(artifacts, storage, study.study_name)))
    exhausted = is_exhausted(trials)
    spent = is_spent(records, content["budget"], goal, space, protocol)
    done = spent or (exhausted and not awaiting_promotion(records, goal, space, protocol.promote))
    return SearchResult(
        task=content["task"],
        space=space,
        goal=goal,
        source=source,
        algorithm=content["algorithm"],
        seed=content["seed"],
        budget=content["budget"],
        records=records,
        # A rule that ended it holds until it goes on.
        stopped=("budget" if spent else "exhausted") if done else _ended(study),
        study=study.study_name,
        storage=shown(storage),
        protocol=protocol,
        optimum=known_optimum(task, goal)
        if task and (task.source.name, task.source.digest) == (source.name, source.digest)
        else None,
    )


def is_spent(records: Sequence[Record], budget: int, goal: Goal, space: Space, protocol: QueryProtocol) -> bool:
    """Whether all queries have finished, here and in other processes."""
    # Promotions are at another fidelity, and come on top of the budget.
    spent = sum(record.fidelity == protocol.fidelity for record in records) >= budget
    return spent and not awaiting_promotion(records, goal, space, protocol.promote)


def _ended(study: Study) -> Literal["interrupted"] | Reason:
    """Why a study stands before its end: the rule that has stopped it, or an interrupt."""
    stored = study.user_attrs.get(STOPPED)
    return next((reason for reason in get_args(Reason) if reason == stored), "interrupted")


def known_optimum(task: Task, goal: Goal) -> float | None:
    """The task's known optimum, where the goal is the one that it holds for."""
    same = goal.objectives[0] == task.goal.objectives[0] and set(goal.limits) == set(task.goal.limits)
    return task.optimum if same else None
