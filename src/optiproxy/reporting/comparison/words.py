"""What the tests of a comparison say, in sentences; on top of the page and on the terminal."""

from __future__ import annotations

import math
from collections.abc import Iterable

from optiproxy.comparison.runs.grid import Grid
from optiproxy.comparison.stats.comparison import Comparison
from optiproxy.comparison.stats.findings import Findings
from optiproxy.comparison.stats.verdict import Verdict
from optiproxy.reporting.svg.scale import number


def standing(findings: Findings) -> list[str]:
    """How the reference stands, who is ahead of it first; nothing where there is nothing to test."""
    tests, name = findings.verdicts, findings.reference
    if not tests:
        return []
    ahead = [test for test in tests if test.ahead == "rival"]
    leaning = [test for test in tests if not test.ahead and test.leaning == "rival"]
    won = sum(test.ahead == "reference" for test in tests)
    open_ = len(tests) - won - len(ahead)
    counted = f"{name} is ahead in {won}, behind in {len(ahead)}, and {open_} remain open"
    told = [
        f"Ahead of {name}: {_listed(ahead) or 'none'}.",
        f"Of {len(tests)} comparisons, corrected together at the {100 * findings.level:g} % level, {counted}.",
    ]
    if leaning:
        told.append(f"Leaning to the rival, though it may be chance: {_listed(leaning)}.")
    fewest, needed = min(test.pairs for test in tests), pairs_needed(len(tests), findings.level)
    if fewest < needed:
        told.append(
            f"With {fewest} pairs of searches, the fewest here, no p is below {2.0 ** (1 - fewest):.2g} before the correction; "
            f"for one of {len(tests)} comparisons to hold by itself, it takes {needed}."
        )
    return told


def pairs_needed(comparisons: int, level: float) -> int:
    """Pairs with which a rank test of two sides, all won by one of them, holds after Holm's first and hardest step."""
    return math.floor(1 - math.log2(level / comparisons)) + 1


def _listed(tests: Iterable[Verdict]) -> str:
    """``rival on task (measure, measure), task (measure); rival on ...``, the tasks of one source together after the others."""
    by_rival: dict[str, dict[str, list[str]]] = {}
    for test in tests:
        by_rival.setdefault(test.rival, {}).setdefault(test.where, []).append(test.words)
    return "; ".join(
        f"{rival} on " + ", ".join(f"{task} ({', '.join(words)})" for task, words in tasks.items())
        for rival, tasks in by_rival.items()
    )


def advantage(test: Verdict) -> str:
    """By how much the reference is better: ``+12.5``, ``0`` or ``−0.3``."""
    if test.advantage is None:
        return number(None)
    size = abs(test.advantage)
    text = f"{size:.0f}" if size >= 100 else f"{size:.3g}"
    return "0" if float(text) == 0 else ("+" if test.advantage > 0 else "−") + text


def chance(p: float) -> str:
    """``p = 0.012`` or ``p < 0.001``."""
    return "p < 0.001" if p < 0.001 else f"p = {p:.2g}"


def extent(comparison: Comparison) -> str:
    """Algorithms, tasks, seeds and queries of a comparison, in one phrase."""
    seeds = {grid.seeds for grid in comparison.grids}
    budgets = {grid.budget for grid in comparison.grids}
    tasks, names = len(comparison.tasks), len(comparison.algorithms)
    several = "" if tasks == 1 else f" on {tasks} tasks"
    return (
        f"{names} algorithm{'s' if names > 1 else ''}{several}, {_span(seeds)} seed{'s' if max(seeds) > 1 else ''} each, "
        f"{_span(budgets)} queries per search"
    )


def command(grid: Grid) -> str:
    """What makes it again."""
    contests = grid.contests.values()
    algorithms = "".join(f" --algorithm {name}" for name in grid.algorithms)
    freed = dict.fromkeys(name for contest in contests for name in contest.protocol.free)
    free = "".join(f" --free {name}" for name in freed)
    # Tasks that differ in it were left their own choice; for the others, saying it is right in any case.
    spent = {(contest.protocol.epochs(contest.protocol.fidelity), contest.protocol.promote) for contest in contests}
    epochs, best = spent.pop() if len(spent) == 1 else (None, 0)
    fidelity = (f" --fidelity {epochs}" if epochs else "") + (f" --promote {best}" if best else "")
    return (
        f"optiproxy compare {' '.join(grid.contests)}{algorithms}{free}{fidelity} --seeds {grid.seeds} "
        f"--budget {grid.budget} --out DIR"
    )


def _span(values: set[int]) -> str:
    return f"{min(values)}" if len(values) == 1 else f"{min(values)} to {max(values)}"
