"""The tables over several tasks: all algorithms on all tasks, and the tests on the tasks of one source together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from optiproxy.comparison.comparison import Comparison
from optiproxy.comparison.paired import SourceTest
from optiproxy.comparison.statistics import Statistics
from optiproxy.reporting.comparison.figures import overhead
from optiproxy.reporting.comparison.task_table import TableCell, test_cell
from optiproxy.reporting.comparison.words import measure_in_words


@dataclass(frozen=True, kw_only=True)
class OverallLine:
    """One algorithm over all tasks.

    Attributes:
        name: Name of the algorithm.
        tasks: How many it has searched.
        seeds: Fewest to most.
        ranks: One cell for each ranking.
        tests: Tests in which the reference is ahead, open ones, and those in which it is behind.
        seconds: Seconds of proposals per 100 queries, mean over the tasks.
        proposal: Seconds of one proposal, the same mean.
        megabytes: The largest peak memory, in MB.
    """

    name: str
    tasks: int
    seeds: str
    ranks: list[TableCell]
    tests: tuple[int, int, int] | None
    seconds: float
    proposal: float
    megabytes: float


@dataclass(frozen=True, kw_only=True)
class SourceLine:
    """One rival in the table of a source.

    Attributes:
        name: Name of the algorithm.
        tasks: Number of tasks on which it is tested, at most.
        seeds: Number of pairs of runs on each.
        cells: One for each measure.
    """

    name: str
    tasks: int
    seeds: int
    cells: list[TableCell]


@dataclass(frozen=True, kw_only=True)
class SourceTable:
    """The tests against all rivals on the tasks of one source together.

    Attributes:
        source: Where the values come from.
        heads: The measures in words.
        lines: One for each rival.
    """

    source: str
    heads: list[str]
    lines: list[SourceLine]


def overall_lines(comparison: Comparison, statistics: Statistics) -> list[OverallLine]:
    """The lines of the overall table, best rank first where there are ranks."""
    # The last ranking is by the final incumbent, which applies to every task; whom it leaves out comes behind.
    ranked = [name for found in statistics.rankings[-1:] for name in found.ranks]
    return [_overall(comparison, statistics, name) for name in dict.fromkeys([*ranked, *comparison.algorithms])]


def source_tables(statistics: Statistics, order: Sequence[str]) -> list[SourceTable]:
    """One table for each source of which two tasks or more were searched; rivals stand in the given order."""
    return [
        _source_table(statistics, source, order) for source in dict.fromkeys(t.source for t in statistics.source_tests)
    ]


def _overall(comparison: Comparison, statistics: Statistics, name: str) -> OverallLine:
    tasks = [task for task in comparison.tasks if name in comparison.on(task)]
    found = [comparison.summaries[task][name] for task in tasks]
    tests = [test for test in statistics.task_tests if test.rival == name]
    ahead, open_, behind = (sum(test.winner == side for test in tests) for side in ("reference", "", "rival"))
    # Grids that were joined may have different numbers of seeds.
    seeds = sorted({summary.seeds for summary in found})
    return OverallLine(
        name=name,
        tasks=len(tasks),
        # One number where all tasks have as many.
        seeds="–".join(map(str, dict.fromkeys((seeds[0], seeds[-1])))),
        ranks=[
            TableCell(text=f"{ranks[name]:.2f}", value=ranks[name]) if name in ranks else TableCell(text="–")
            for ranks in (ranking.ranks for ranking in statistics.rankings)
        ],
        tests=(ahead, open_, behind) if tests else None,
        seconds=overhead(comparison, tasks, name),
        proposal=sum(summary.proposal_seconds_mean for summary in found) / len(found),
        # The largest and no mean: it is what a machine must have.
        megabytes=max(summary.overhead_mb_peak for summary in found),
    )


def _source_table(statistics: Statistics, source: str, order: Sequence[str]) -> SourceTable:
    tests = {(test.rival, test.measure): test for test in statistics.source_tests if test.source == source}
    measures = list(dict.fromkeys(measure for _, measure in tests))
    lines: list[SourceLine] = []
    for name in order:
        own = [test for (rival, _), test in tests.items() if rival == name]
        if own:
            lines.append(
                SourceLine(
                    name=name,
                    tasks=max(len(test.tasks) for test in own),
                    seeds=min(test.pairs for test in own),
                    # A measure that does not apply to this rival leaves its cell empty.
                    cells=[_delta_cell(tests.get((name, measure))) for measure in measures],
                )
            )
    return SourceTable(source=source, heads=[measure_in_words(measure) for measure in measures], lines=lines)


def _delta_cell(test: SourceTest | None) -> TableCell:
    """As `test_cell`, with as many digits for every effect size."""
    # Cliff's delta has no unit and lies between -1 and 1, so two decimals serve them all.
    delta = f"{test.effect_size:+.2f}" if test and test.effect_size is not None else ""
    return replace(test_cell(test), text=delta.replace("-", "−"))
