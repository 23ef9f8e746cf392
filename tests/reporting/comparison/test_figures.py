"""The figures of a comparison as data, and that their drawings use nothing else."""

from __future__ import annotations

import pytest

from optiproxy.comparison.statistics import analyze
from optiproxy.reporting.comparison.figures import groups, incumbents, overhead_against_rank, ranks, survival_curves
from optiproxy.reporting.svg import chart
from optiproxy.reporting.svg import ranks as diagram
from optiproxy.reporting.svg.chart import Style
from optiproxy.reporting.svg.elements import BEST, ink


@pytest.fixture
def made(comparison):
    """Four seeds; the first algorithm meets the optimum with its third query, but for one seed."""
    return comparison(
        lambda task, name, seed: [None, 4.0 + seed, 9.0 if name == "first" and seed else 8.0],
        seeds=4,
    )


def test_incumbents_are_quartiles_over_the_seeds(made):
    figure = incumbents(made, "known")
    assert (figure.x.text, figure.y.text) == ("queries", "incumbent score")
    assert [line.value for line in figure.references] == [9.0]
    first, second = figure.series
    assert (first.name, first.x) == ("first", (1.0, 2.0, 3.0))
    # Nothing was feasible with the first query; then 4, 5, 6 and 7.
    assert (first.low, first.y, first.high) == ((None, 4.0, 8.0), (None, 5.0, 9.0), (None, 6.0, 9.0))
    assert second.y == (None, 5.0, 8.0)
    assert figure.y.low < 8
    assert figure.y.high > 9


def test_the_axis_of_incumbents_shows_the_bands_of_those_that_stand_out(comparison):
    made = comparison(lambda task, name, seed: [1.0 - 10 * seed if name == "first" else 5.0], seeds=4)
    everything, second = (incumbents(made, "known", emphasized=names) for names in (None, ["second"]))
    assert everything.y.low < -29 < second.y.low
    assert [one.name for one in incumbents(made, "known", names=["second", "first"]).series] == ["second", "first"]


def test_survival_curves_begin_with_all_runs_and_end_with_those_that_missed_the_optimum(made):
    figure = survival_curves(made, "known")
    assert figure.y.unit == "%"
    first, second = figure.series
    assert (first.x[0], first.y[0], first.x[-1], first.y[-1]) == (0, 100, 3, pytest.approx(25))
    assert set(second.y) == {100}
    assert all(low <= share <= high for low, share, high in zip(first.low, first.y, first.high, strict=True))
    assert survival_curves(made, "unknown") is None


def test_overhead_stands_against_the_mean_rank(made):
    found = analyze(made).rankings[-1]
    figure = overhead_against_rank(made, found)
    assert {one.name: one.y for one in figure.series} == {name: (rank,) for name, rank in found.ranks.items()}
    # Half a second for each proposal.
    assert {one.x for one in figure.series} == {(50.0,)}
    assert (figure.x.unit, figure.x.scale, figure.y.descending) == ("s", "log", True)


def test_ranks_are_grouped_by_the_critical_difference(made):
    found = analyze(made).rankings[-1]
    figure = ranks(found)
    assert dict(zip(figure.names, figure.ranks, strict=True)) == found.ranks
    assert figure.critical_difference == found.critical_difference
    assert figure.groups == ((0, 1),)


def test_bars_join_the_longest_runs_that_are_not_told_apart():
    assert groups([1.0, 1.5, 2.4, 4.0], 1.0) == ((0, 1), (1, 2))
    assert groups([1.0, 1.5, 1.9, 4.0], 1.0) == ((0, 2),)
    assert groups([1.0, 1.0], 0.0) == ()
    assert groups([], 1.0) == ()


def test_figures_are_json_and_are_drawn_from_it_alone(made, through_json):
    found = analyze(made).rankings[-1]
    names = made.algorithms
    styles = {name: Style(ink(i)) for i, name in enumerate(names)}
    for figure in (incumbents(made, "known"), survival_curves(made, "known"), overhead_against_rank(made, found)):
        kept = through_json(figure)
        assert kept == figure
        picture = chart.draw(kept, styles)
        assert picture == chart.draw(figure, styles)
        assert all(f">{name}" in picture for name in names)
    kept = through_json(ranks(found))
    assert diagram.draw(kept, dict.fromkeys(names, BEST.color)).count("critical difference") == 1
