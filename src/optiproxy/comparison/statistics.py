"""What holds between the algorithms of a comparison: paired tests against a reference, corrected together, and ranks.

A test is made for each task, and one more for the tasks of one source together. Such tasks share networks, and a run on one
often begins as the run on another with the same seed. They are no independent evidence, and a test over tasks would count them
as that; seeds are independent, and every test here goes over seeds.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from itertools import product
from typing import Any

import numpy as np

from optiproxy.comparison.comparison import Comparison
from optiproxy.comparison.paired import (
    LEVEL,
    PairedTest,
    SourceTest,
    TaskTest,
    cliffs_delta,
    differences,
    holm,
    median_difference,
    rank_differences,
    signed_ranks,
)
from optiproxy.comparison.ranks import Ranking, ranking
from optiproxy.comparison.scores import MEASURES, Measure

FILE_KEYS = {
    "effect_size": "advantage",
    "p_value": "p",
    "favors": "leaning",
    "winner": "ahead",
    "task_tests": "tests",
    "source_tests": "suites",
}
"""Field -> its key in ``statistics.json``, where they differ: the file has kept its first names."""


@dataclass(frozen=True, kw_only=True)
class Statistics:
    """The content of ``statistics.json``.

    Attributes:
        reference: The algorithm that all others are tested against.
        level: Significance level of the corrected p-values.
        task_tests: Task by task, measure by measure, rival by rival.
        source_tests: The same for the tasks of one source together.
        rankings: One for each measure that applies to any task.
    """

    reference: str
    level: float
    task_tests: tuple[TaskTest, ...]
    source_tests: tuple[SourceTest, ...]
    rankings: tuple[Ranking, ...]

    @property
    def tests(self) -> tuple[PairedTest, ...]:
        """All tests that are corrected together."""
        return (*self.task_tests, *self.source_tests)

    def to_json(self) -> dict[str, Any]:
        """The content of the file, where the measure's words stand beside its name."""
        labels = {measure.name: measure.label for measure in MEASURES}

        def told(value: Any) -> Any:  # noqa: ANN401 - whatever JSON can hold
            if isinstance(value, dict):
                named = {FILE_KEYS.get(key, key): told(entry) for key, entry in value.items()}
                if "measure" not in named:
                    return named
                # Right behind the name, where readers of the file have always found it.
                at = [*named].index("measure") + 1
                entries = [*named.items()]
                return dict([*entries[:at], ("words", labels[named["measure"]]), *entries[at:]])
            return [told(entry) for entry in value] if isinstance(value, list | tuple) else value

        return told(asdict(self))


def analyze(comparison: Comparison, reference: str | None = None) -> Statistics:
    """Test the reference against each rival, and rank all algorithms.

    Args:
        comparison: A comparison of any size; with one algorithm there is nothing to test.
        reference: Name of an algorithm; None means the first.

    Raises:
        UsageError: If the reference is not one of the algorithms.
    """
    name = comparison.reference(reference)
    task_tests = [
        test
        for task in comparison.tasks
        if name in comparison.on(task)
        for measure in MEASURES
        for rival in comparison.on(task)
        if rival != name and (test := _task_test(comparison, task, measure, name, rival)) is not None
    ]
    sources = dict.fromkeys(comparison.settings[task].source for task in comparison.tasks)
    source_tests = [
        test
        for source in sources
        for measure in MEASURES
        for rival in comparison.algorithms
        if rival != name and (test := _source_test(comparison, source, measure, name, rival)) is not None
    ]
    # One family of tests: more tasks or rivals make every single claim harder, as they must.
    corrected = iter(holm([test.p_value for test in (*task_tests, *source_tests)]))
    rankings = (ranking(comparison, measure) for measure in MEASURES)
    return Statistics(
        reference=name,
        level=LEVEL,
        task_tests=tuple(test.corrected(next(corrected)) for test in task_tests),
        source_tests=tuple(test.corrected(next(corrected)) for test in source_tests),
        rankings=tuple(found for found in rankings if found is not None),
    )


def _task_test(comparison: Comparison, task: str, measure: Measure, reference: str, rival: str) -> TaskTest | None:
    setting = comparison.settings[task]
    pair = comparison.runs(task, reference), comparison.runs(task, rival)
    # Where budgets differ, both are looked at within the queries that both have had.
    at = measure.checkpoint(setting, comparison.common_queries(task, (reference, rival)))
    if at is None:
        return None
    # Only seeds that both have make pairs.
    seeds = [seed for seed in pair[0].seeds if seed in pair[1].seeds]
    better = differences(*(measure.scores(runs.only(seeds), setting, at=at) for runs in pair))
    return TaskTest(
        task=task,
        rival=rival,
        measure=measure.name,
        at=at,
        effect_size=median_difference(better),
        **signed_ranks(better),
    )


def _source_test(
    comparison: Comparison, source: str, measure: Measure, reference: str, rival: str
) -> SourceTest | None:
    pair = (reference, rival)
    settings = comparison.settings
    ends = {
        task: measure.checkpoint(settings[task], comparison.common_queries(task, pair))
        for task in comparison.tasks
        if settings[task].source == source and set(pair) <= set(comparison.on(task))
    }
    scored = {task: at for task, at in ends.items() if at is not None}
    # A single task has its own test already.
    if len(scored) < 2:
        return None
    # The two algorithms are exchanged on whole seeds, so a seed counts only if both ran it on every one of the tasks.
    seeds = sorted(frozenset.intersection(*(frozenset(comparison.runs(*one).seeds) for one in product(scored, pair))))
    scores = [
        [measure.scores(comparison.runs(task, name).only(seeds), settings[task], at=at) for name in pair]
        for task, at in scored.items()
    ]
    better = np.mean([rank_differences(first, second) for first, second in scores], axis=0)
    return SourceTest(
        source=source,
        tasks=tuple(scored),
        rival=rival,
        measure=measure.name,
        effect_size=cliffs_delta(better),
        # Mean ranks are sums of fractions: what differs by rounding is a tie.
        **signed_ranks(better.round(9)),
    )
