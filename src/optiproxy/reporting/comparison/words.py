"""What the tests of a comparison say, in sentences; on top of the page and on the terminal."""

from __future__ import annotations

import math
from collections.abc import Iterable
from shlex import quote

from optiproxy.comparison.comparison import Comparison
from optiproxy.comparison.grid import Grid
from optiproxy.comparison.paired import PairedTest
from optiproxy.comparison.scores import FinalIncumbent, HalfwayIncumbent
from optiproxy.comparison.statistics import Statistics
from optiproxy.registry.own import arguments
from optiproxy.reporting.words import number

_MEASURES = {
    HalfwayIncumbent.name: HalfwayIncumbent.label.replace("best", "incumbent"),
    FinalIncumbent.name: "final incumbent",
}


def measure_in_words(name: str) -> str:
    """The name of a measure, as it stands in a sentence: ``final incumbent``."""
    # Only what would not read well by its name alone is listed.
    return _MEASURES.get(name, name.replace("_to_", " to the "))


def standing(statistics: Statistics) -> list[str]:
    """How the reference stands, who is ahead of it first; nothing where there is nothing to test."""
    tests, name = statistics.tests, statistics.reference
    if not tests:
        return []
    ahead = [test for test in tests if test.winner == "rival"]
    unsupported = [test for test in tests if not test.winner and test.favors == "rival"]
    won = sum(test.winner == "reference" for test in tests)
    open_ = len(tests) - won - len(ahead)
    counted = f"{name} is ahead in {won}, behind in {len(ahead)}, and {open_} remain open"
    told = [
        f"Ahead of {name}: {_listed(ahead) or 'none'}.",
        f"Of {len(tests)} comparisons, corrected together at the {100 * statistics.level:g} % level, {counted}.",
    ]
    if unsupported:
        told.append(f"In favor of the rival, though it may be chance: {_listed(unsupported)}.")
    # So few pairs that nothing could come out are said to be so: no difference found is then no finding.
    fewest, needed = min(test.pairs for test in tests), pairs_needed(len(tests), statistics.level)
    if fewest < needed:
        told.append(
            f"With {fewest} pairs of searches, the fewest here, no p-value is below {2.0 ** (1 - fewest):.2g} before the correction; "
            f"for one of {len(tests)} comparisons to hold by itself, it takes {needed}."
        )
    return told


def pairs_needed(comparisons: int, level: float) -> int:
    """Pairs with which a two-sided signed-rank test that one side wins on all of them is significant after Holm's first step.

    Its p-value is ``2 ** (1 - pairs)``, and the first step, the hardest, divides the level by the number of comparisons.
    """
    return math.floor(1 - math.log2(level / comparisons)) + 1


def _listed(tests: Iterable[PairedTest]) -> str:
    """``rival on task (measure, measure), task (measure); rival on ...``, the tasks of one source together after the others."""
    by_rival: dict[str, dict[str, list[str]]] = {}
    for test in tests:
        by_rival.setdefault(test.rival, {}).setdefault(test.where, []).append(measure_in_words(test.measure))
    return "; ".join(
        f"{rival} on " + ", ".join(f"{task} ({', '.join(words)})" for task, words in tasks.items())
        for rival, tasks in by_rival.items()
    )


def effect_in_words(test: PairedTest) -> str:
    """The effect size, positive if the reference is better: ``+12.5``, ``0`` or ``−0.3``."""
    if test.effect_size is None:
        return number(None)
    size = abs(test.effect_size)
    text = f"{size:.0f}" if size >= 100 else f"{size:.3g}"
    # What rounds to 0 has no sign. The minus is the typographic one, as wide as the plus.
    return "0" if float(text) == 0 else ("+" if test.effect_size > 0 else "−") + text


def p_in_words(p_value: float) -> str:
    """``p = 0.012`` or ``p < 0.001``."""
    return "p < 0.001" if p_value < 0.001 else f"p = {p_value:.2g}"


def extent(comparison: Comparison) -> str:
    """Algorithms, tasks, seeds and queries of a comparison, in one phrase."""
    # Grids that were joined may differ in both.
    seeds = {grid.seeds for grid in comparison.grids}
    budgets = {grid.budget for grid in comparison.grids}
    tasks, names = len(comparison.tasks), len(comparison.algorithms)
    several = "" if tasks == 1 else f" on {tasks} tasks"
    return (
        f"{names} algorithm{'s' if names > 1 else ''}{several}, {_span(seeds)} seed{'s' if max(seeds) > 1 else ''} each, "
        f"{_span(budgets)} queries per search"
    )


def command(grid: Grid) -> str:
    """The command that runs the comparison again."""
    settings = grid.tasks.values()
    algorithms = "".join(f" --algorithm {name}" for name in grid.algorithms)
    freed = dict.fromkeys(name for setting in settings for name in setting.protocol.free)
    free = "".join(f" --free {name}" for name in freed)
    # Tasks that differ in it were left their own choice; for the others, saying it is right in any case.
    spent = {(setting.protocol.epochs(setting.protocol.fidelity), setting.protocol.promote) for setting in settings}
    epochs, best = spent.pop() if len(spent) == 1 else (None, 0)
    fidelity = (f" --fidelity {epochs}" if epochs else "") + (f" --promote {best}" if best else "")
    # What a table of choices is searched by is a file.
    told = [arguments(task) or ("FILE.toml",) for task in grid.tasks]
    tasks = " ".join(dict.fromkeys([subject for subject, *_ in told]))
    # Own tasks share a training function, and have the goal that they were asked for; the others have a goal of their own.
    training = "".join(dict.fromkeys(f" {' '.join(rest)}{_goal(grid)}" for _, *rest in told if rest))
    return (
        f"optiproxy compare {tasks}{training}{algorithms}{free}{fidelity} --seeds {grid.seeds} "
        f"--budget {grid.budget} --out DIR"
    )


def _goal(grid: Grid) -> str:
    first = next(iter(grid.tasks.values())).goal
    return "".join(
        f" --{option} {quote(str(told))}"
        for option, parts in (("objective", first.objectives), ("limit", first.limits))
        for told in parts
    )


def _span(values: set[int]) -> str:
    return f"{min(values)}" if len(values) == 1 else f"{min(values)} to {max(values)}"
