"""Search every task with every algorithm and every seed, on worker processes, resumably."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from concurrent.futures import BrokenExecutor, Future, as_completed
from multiprocessing import get_context
from pathlib import Path

from optiproxy import __version__, registry
from optiproxy.comparison.comparison import Comparison
from optiproxy.comparison.folder import Folder, publish_results, publish_statistics
from optiproxy.comparison.grid import Grid, Run, TaskSetting, check_counts, check_names
from optiproxy.comparison.statistics import analyze
from optiproxy.comparison.worker import prepare, search_once
from optiproxy.errors import PackageError, SearchFailed
from optiproxy.execution.interrupts import Interrupts
from optiproxy.registry import OwnTask
from optiproxy.searching.progress import Observer, Silence
from optiproxy.searching.settings import SearchSettings

LIBRARIES = ("optuna", "scipy.special", "torch", "optiproxy.registry", "optiproxy.searching.run")
"""Imported once, before the processes fork: what every search needs and none should be charged for."""


def compare(
    tasks: Sequence[str | OwnTask],
    *,
    algorithms: Sequence[str],
    seeds: int,
    budget: int,
    workers: int,
    out: Path,
    free: Sequence[str] = (),
    fidelity: int | None = None,
    promote: int | None = None,
    observer: Observer[Run] | None = None,
) -> Comparison:
    """Run what is missing of the grid, then write ``results.csv``, ``summary.json`` and ``statistics.json``.

    Every algorithm gets the same budget, seeds, goal and evaluation; none proposes an architecture twice. A search
    whose process is killed is tried again by the next call; whatever has finished is kept. A later call may ask for more
    tasks, algorithms or seeds than the one before, not for fewer.

    Args:
        tasks: Names of tasks, ``MODULE:NAME``, or spaces with training functions; each is searched for its own goal.
        algorithms: Names of algorithms, or ``MODULE:NAME``; the others are tested against the first. One whose package is
            missing is skipped, and `Grid.skipped` says so.
        seeds: How many; they are 0 to ``seeds - 1``.
        budget: Queries per search; the promotions of a task that is searched at a lower fidelity come on top.
        workers: Searches at a time.
        out: Folder for results, and where an interrupted comparison is resumed.
        free: Metrics that every search is to know before a query, besides those that a task treats so by itself.
        fidelity: Where every search spends its budget; None means each task's own choice.
        promote: How many of the best each then queries again in full; None means each task's own choice.
        observer: Told how it goes; nobody by default.

    Raises:
        UsageError: If a name is unknown, a count is below one, or ``out`` cannot be written.
        DataError: If the data of a task is missing or damaged.
        PackageError: If not one of the algorithms has its package here, or one whose searches have begun has lost it.
        StudyError: If ``out`` holds a comparison with other settings or with more of something.
        SearchFailed: If processes died; the message names one search.
    """
    check_counts(seeds=seeds, budget=budget, workers=workers)
    # One spelling of each name, so that `my/search.py:task` and `my.search:task` are one task, today and on resuming. What was
    # typed is what is imported here: it puts the module's folder on the path, which the worker processes inherit.
    task_specs = [(registry.task_name(spec), spec) for spec in tasks]
    algorithm_specs = [(registry.algorithm_name(spec), spec) for spec in algorithms]
    names = tuple(name for name, _ in algorithm_specs)
    check_names(task=[name for name, _ in task_specs], algorithm=names)
    settings = SearchSettings(budget=budget, free=tuple(free), fidelity=fidelity, promote=promote)
    folder = Folder(out)
    held = folder.grid().algorithms if folder.claimed else ()
    problems = {name: registry.missing_package(spec) for name, spec in algorithm_specs}
    # What was searched here before its package went away stays.
    skipped = tuple(name for name in names if problems[name] and name not in held)
    if len(skipped) == len(names):
        raise PackageError(problems[skipped[0]])
    grid = Grid(
        tasks={name: TaskSetting.of(registry.task(spec), settings) for name, spec in task_specs},
        algorithms=tuple(name for name in names if name not in skipped),
        seeds=seeds,
        budget=budget,
        version=__version__,
        skipped=skipped,
    )
    folder.claim(grid)
    watcher = observer or Silence()
    missing = folder.missing(grid)
    # A missing package matters only if there is still a run to be made with it.
    problem = next((problems[run.algorithm] for run in missing if problems[run.algorithm]), "")
    if problem:
        raise PackageError(problem)
    # A set, because a grid may hold tens of thousands of runs.
    to_do = set(missing)
    watcher.on_start(total=len(grid.runs), done=[run for run in grid.runs if run not in to_do])
    try:
        with Interrupts() as interrupts, interrupts.heard():
            lost = _search_all(
                missing,
                folder,
                settings,
                grid=grid,
                own={name: spec for name, spec in task_specs if isinstance(spec, OwnTask)},
                workers=workers,
                observer=watcher,
                interrupts=interrupts,
            )
    finally:
        watcher.on_end()
    if lost:
        raise SearchFailed(
            f"{len(lost)} of {len(missing)} searches were killed, {lost[0]} first. Run the same command to try them again."
        )
    comparison = folder.comparison()
    # Written anew each time: in a grid that grew, every p-value is corrected for more tests.
    publish_results(comparison, out)
    publish_statistics(comparison, analyze(comparison), out)
    return comparison


def _search_all(
    runs: Sequence[Run],
    folder: Folder,
    settings: SearchSettings,
    *,
    grid: Grid,
    own: Mapping[str, OwnTask],
    workers: int,
    observer: Observer[Run],
    interrupts: Interrupts,
) -> list[Run]:
    """Make all runs; returns those whose process was killed or interrupted."""
    from pebble import ProcessExpired, ProcessPool

    lost: list[Run] = []
    # Processes are forked from a server that has the libraries imported: fresh ones at the price of used ones.
    context = get_context("forkserver")
    context.set_forkserver_preload(list(LIBRARIES))
    pool = ProcessPool(
        max_workers=workers, max_tasks=1, initializer=prepare, initargs=(dict(os.environ),), context=context
    )
    try:
        run_of: dict[Future[bool], Run] = {
            pool.submit(
                search_once, None, run, grid.tasks[run.task], settings, own=own.get(run.task), path=folder.part(run)
            ): run
            for run in runs
        }
        for future in as_completed(run_of):
            interrupts.check()
            try:
                finished = future.result()
            except ProcessExpired:
                # Killed from outside, by a person or for memory: the other runs go on.
                finished = False
            if finished:
                observer.on_finish(run_of[future])
            else:
                lost.append(run_of[future])
        pool.close()
    except BaseException as error:
        # An error in one search, or Ctrl-C: what has finished is on the disk, the rest is not worth waiting for.
        pool.stop()
        if isinstance(error, BrokenExecutor):
            raise SearchFailed(
                f"The processes ended before they could search ({error}). Run the same command to try again."
            ) from error
        raise
    finally:
        pool.join()
    return lost
