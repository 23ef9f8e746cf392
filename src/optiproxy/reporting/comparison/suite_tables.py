"""The tables of a comparison about the tasks of one source together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from optiproxy.comparison.stats.findings import Findings
from optiproxy.comparison.stats.suites import SuiteTest
from optiproxy.reporting.comparison.cast import Role
from optiproxy.reporting.comparison.tables import Cell, verdict_cell


@dataclass(frozen=True, kw_only=True)
class SuiteLine:
    """One rival.

    Attributes:
        role: On the page.
        tasks: On how many tasks at most it is tested.
        seeds: With how many pairs of searches of each.
        cells: One for each measure.
    """

    role: Role
    tasks: int
    seeds: int
    cells: list[Cell]


@dataclass(frozen=True, kw_only=True)
class SuiteTable:
    """The tests against all rivals on the tasks of one source.

    Attributes:
        source: Where the values come from.
        heads: The measures in words.
        lines: One for each rival, by rank.
    """

    source: str
    heads: list[str]
    lines: list[SuiteLine]


def suite_tables(findings: Findings, roles: Mapping[str, Role]) -> list[SuiteTable]:
    """One for each source of which two tasks or more were searched."""
    return [_table(findings, source, roles) for source in dict.fromkeys(test.source for test in findings.suites)]


def _table(findings: Findings, source: str, roles: Mapping[str, Role]) -> SuiteTable:
    found = [test for test in findings.suites if test.source == source]
    measures = dict.fromkeys((test.measure, test.words) for test in found)
    of = {(test.rival, test.measure): test for test in found}
    rivals = sorted((roles[name] for name in dict.fromkeys(test.rival for test in found)), key=lambda role: role.place)
    lines = [
        SuiteLine(
            role=role,
            tasks=max(len(test.tasks) for test in found if test.rival == role.name),
            seeds=min(test.pairs for test in found if test.rival == role.name),
            cells=[_cell(of.get((role.name, measure))) for measure, _ in measures],
        )
        for role in rivals
    ]
    return SuiteTable(source=source, heads=[words for _, words in measures], lines=lines)


def _cell(test: SuiteTest | None) -> Cell:
    """All shares with as many digits."""
    share = f"{test.advantage:+.2f}" if test and test.advantage is not None else ""
    return replace(verdict_cell(test), text=share.replace("-", "−"))
