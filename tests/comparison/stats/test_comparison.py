"""Comparisons of one or several grids, and what holds between their algorithms."""

from __future__ import annotations

import json
import lzma
from dataclasses import asdict, replace

import numpy as np
import pytest

from optiproxy.comparison.runs.folder import Folder
from optiproxy.comparison.runs.grid import Cell, Contest, Grid
from optiproxy.comparison.runs.publishing import publish_figures, publish_results
from optiproxy.comparison.stats.comparison import Comparison
from optiproxy.comparison.stats.findings import find
from optiproxy.comparison.stats.measures import BestAfter, BestAtEnd, QueriesToOptimum
from optiproxy.comparison.stats.ranks import critical_difference, friedman, ranking
from optiproxy.errors import StudyError, UsageError
from optiproxy.task.protocol import QueryProtocol

UP = Contest(objective="score:max", test="test", optimum=9.0, source="made up")


@pytest.fixture
def comparison(outcome):
    """A comparison from the values of each search: ``values(task, algorithm, seed)``."""

    def make(values, *, tasks=("a",), algorithms=("ours", "theirs"), seeds=6, budget=60, contest=UP, version="1"):
        grid = Grid(
            contests=dict.fromkeys(tasks, contest), algorithms=algorithms, seeds=seeds, budget=budget, version=version
        )
        direction = contest.aim.direction
        return Comparison(
            (grid,),
            tuple(
                replace(outcome(values(cell.task, cell.algorithm, cell.seed), direction=direction), cell=cell)
                for cell in grid.cells
            ),
        )

    return make


def constant(**levels):
    return lambda task, name, seed: [levels[name] + 0.001 * seed]


def test_several_comparisons_are_one_over_all_of_their_tasks(comparison):
    first = comparison(constant(ours=5.0, theirs=4.0), tasks=("a", "b"), seeds=3)
    second = comparison(constant(slow=6.0), tasks=("b", "c"), algorithms=("slow",), seeds=2, budget=20)
    joined = Comparison.joined([first, second])
    assert joined.tasks == ("a", "b", "c")
    assert joined.algorithms == ("ours", "theirs", "slow")
    assert joined.on("b") == ("ours", "theirs", "slow")
    assert joined.on("c") == ("slow",)
    assert (joined.common("a", joined.on("a")), joined.common("b", joined.on("b"))) == (60, 20)
    assert joined.common("b", ("ours", "theirs")) == 60
    assert joined.runs("b", "slow").seeds == (0, 1)
    assert joined.summaries["b"]["ours"] == first.summaries["b"]["ours"]
    tests = {(test.task, test.rival, test.measure): test for test in find(joined).tests}
    assert tests["b", "slow", "best_at_end"].pairs == 2
    assert tests["b", "slow", "best_at_end"].at == 20
    assert ("b", "slow", "best_after_50") not in tests
    assert tests["b", "theirs", "best_after_50"].at == 50
    assert not [key for key in tests if key[0] == "c"]


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({}, r"ours has searched a with the same seeds in two"),
        ({"algorithms": ("new",), "version": "2"}, "optiproxy 1 and 2 are not mixed"),
        ({"algorithms": ("new",), "contest": replace(UP, source="elsewhere")}, "source of a: made up, now elsewhere"),
    ],
)
def test_what_does_not_go_together_is_refused(comparison, changes, told):
    settings = {"algorithms": ("ours",), **changes}
    with pytest.raises(StudyError, match=told):
        Comparison.joined(
            [comparison(constant(ours=5.0), algorithms=("ours",)), comparison(lambda *_: [1.0], **settings)]
        )


def test_promoted_searches_of_different_budgets_have_nothing_in_common(comparison):
    contest = replace(UP, protocol=QueryProtocol(fidelity=12, promote=5, full=200))
    parts = [
        comparison(lambda *_: [1.0], algorithms=(name,), budget=budget, contest=contest)
        for name, budget in (("ours", 20), ("theirs", 30))
    ]
    with pytest.raises(StudyError, match="lower fidelity with budgets of 20 and 30"):
        Comparison.joined(parts)


def test_a_folder_of_which_only_rows_and_summary_were_kept_tells_the_same(comparison, tmp_path):
    made = comparison(lambda task, name, seed: [None, 1.0 + seed, 9.0 if seed else 2.0], seeds=3, budget=3)
    publish_results(made, tmp_path)
    publish_figures(made, find(made), tmp_path)
    (tmp_path / "settings.json").write_text(json.dumps(asdict(made.grids[0])))
    kept = Folder(tmp_path).comparison()
    assert kept.summaries == made.summaries
    assert sorted(map(str, kept.outcomes)) == sorted(map(str, made.outcomes))
    rows = (tmp_path / "results.csv").read_bytes()
    (tmp_path / "results.csv").unlink()
    with pytest.raises(StudyError, match="cannot be read"):
        Folder(tmp_path).comparison()
    (tmp_path / "results.csv.xz").write_bytes(lzma.compress(rows))
    assert Folder(tmp_path).comparison().summaries == made.summaries
    (tmp_path / "results.csv.xz").write_bytes(lzma.compress(rows)[:40])
    with pytest.raises(StudyError, match="cannot be read"):
        Folder(tmp_path).comparison()
    (tmp_path / "results.csv.xz").write_bytes(rows)
    with pytest.raises(StudyError, match="cannot be read"):
        Folder(tmp_path).comparison()


def test_parts_that_cannot_be_put_in_place_are_said_in_a_sentence(comparison, tmp_path):
    made = comparison(lambda task, name, seed: [1.0], seeds=2)
    publish_results(made, tmp_path)
    publish_figures(made, find(made), tmp_path)
    (tmp_path / "settings.json").write_text(json.dumps(asdict(made.grids[0])))
    parts = tmp_path / "parts"
    parts.symlink_to(tmp_path / "gone")
    with pytest.raises(StudyError, match=r"Cannot make .*parts from the kept rows"):
        Folder(tmp_path).claim(made.grids[0])
    parts.unlink()
    Folder(tmp_path).claim(made.grids[0])
    assert Folder(tmp_path).missing(made.grids[0]) == []


def test_a_folder_that_has_not_finished_tells_what_has(comparison, tmp_path):
    made = comparison(lambda task, name, seed: [1.0 + seed], tasks=("a", "b"), seeds=3)
    folder = Folder(tmp_path)
    folder.claim(made.grids[0])
    with pytest.raises(StudyError, match="No search"):
        folder.comparison()
    unfinished = {Cell("a", "ours", 2), Cell("b", "ours", 0), Cell("b", "theirs", 1)}
    for outcome in made.outcomes:
        if outcome.cell not in unfinished:
            outcome.save(folder.part(outcome.cell))
    found = folder.comparison()
    assert {(task, name): found.runs(task, name).seeds for task in found.tasks for name in found.on(task)} == {
        ("a", "ours"): (0, 1),
        ("a", "theirs"): (0, 1, 2),
        ("b", "theirs"): (0,),
    }
    assert find(found).reference == "ours"
    for outcome in made.outcomes:
        outcome.save(folder.part(outcome.cell))
    assert folder.comparison().grids == made.grids


def test_what_was_asked_for_and_not_searched_can_be_withdrawn(comparison, tmp_path):
    made = comparison(constant(ours=1.0, theirs=2.0), seeds=2)
    (grid,) = made.grids
    folder = Folder(tmp_path)
    for outcome in made.outcomes:
        outcome.save(folder.part(outcome.cell))
    folder.claim(replace(grid, seeds=200, algorithms=("ours", "theirs", "broken"), contests={"a": UP, "z": UP}))
    assert folder.comparison().summaries == made.summaries
    with pytest.raises(StudyError, match="seeds 2, now 1"):
        folder.claim(replace(grid, seeds=1))
    folder.claim(grid)
    assert folder.grid() == grid


def test_files_are_json_that_every_reader_takes(comparison, tmp_path):
    made = comparison(lambda task, name, seed: [None if name == "ours" else 3.0], seeds=2, budget=1)
    publish_figures(made, find(made), tmp_path)
    for name in ("summary.json", "statistics.json"):
        text = (tmp_path / name).read_text()
        assert "NaN" not in text
        assert "Infinity" not in text
    (test, *_) = json.loads((tmp_path / "statistics.json").read_text())["tests"]
    assert test["measure"] == "queries_to_optimum"
    assert json.loads((tmp_path / "summary.json").read_text())["a"]["ours"]["marks"]["1"]["best"]["mean"] is None


def test_a_clear_winner_is_ahead_whichever_is_the_reference(comparison):
    made = comparison(constant(ours=5.0, theirs=4.0), seeds=10)
    ours = {test.measure: test for test in find(made).tests}
    assert set(ours) == {"queries_to_optimum", "best_after_50", "best_at_end"}
    best = ours["best_at_end"]
    assert (best.wins, best.ties, best.losses, best.ahead, best.advantage) == (10, 0, 0, "reference", pytest.approx(1))
    assert best.p == pytest.approx(2 / 2**10)
    assert best.p_corrected == pytest.approx(3 * best.p)
    tied = ours["queries_to_optimum"]
    assert (tied.wins, tied.ties, tied.ahead, tied.leaning, tied.p) == (0, 10, "", "", 1)
    theirs = {test.measure: test for test in find(made, "theirs").tests}
    assert (theirs["best_at_end"].ahead, theirs["best_at_end"].advantage) == ("rival", pytest.approx(-1))
    with pytest.raises(UsageError, match="Did you mean 'ours'"):
        find(made, "our")


def test_few_seeds_support_nothing(comparison):
    found = find(comparison(constant(ours=5.0, theirs=4.0), seeds=5)).tests
    assert {test.ahead for test in found} == {""}
    assert "reference" in {test.leaning for test in found}


def test_lower_is_better_where_that_is_the_aim(comparison):
    contest = Contest(objective="score:min", source="made up")
    (test,) = find(comparison(constant(ours=1.0, theirs=2.0), seeds=10, budget=30, contest=contest)).tests
    assert (test.measure, test.ahead, test.advantage) == ("best_at_end", "reference", pytest.approx(1))


def test_measures_within_a_number_of_queries(outcome):
    searches = [outcome([1.0, 2.0, 9.0, 9.0]), outcome([1.0, 1.0, 1.0, 9.0]), outcome([None] * 4)]
    queries, best = QueriesToOptimum(), BestAtEnd()
    assert queries.scores(searches, UP, at=4).tolist() == [-3, -4, -5]
    # One that meets the optimum later counts as not meeting it.
    assert queries.scores(searches, UP, at=3).tolist() == [-3, -4, -4]
    assert best.scores(searches, UP, at=2).tolist() == [2, 1, -np.inf]
    assert queries.mark(replace(UP, optimum=None), 100) is None
    assert (BestAfter().mark(UP, 100), BestAfter().mark(UP, 50), BestAtEnd().mark(UP, 50)) == (50, None, 50)


@pytest.mark.parametrize(("algorithms", "quantile"), [(2, 1.960), (3, 2.343), (4, 2.569), (5, 2.728), (10, 3.164)])
def test_the_critical_difference_is_that_of_the_published_table(algorithms, quantile):
    expected = quantile * (algorithms * (algorithms + 1) / (6 * 14)) ** 0.5
    assert critical_difference(algorithms, 14) == pytest.approx(expected, rel=1e-3)


def test_ranks_by_hand(comparison):
    levels = {"a": {"x": 3.0, "y": 2.0, "z": 1.0}, "b": {"x": 2.0, "y": 2.0, "z": 1.0}}
    made = comparison(
        lambda task, name, seed: [levels[task][name]], tasks=("a", "b"), algorithms=("x", "y", "z"), seeds=3
    )
    found = ranking(made, BestAtEnd())
    assert found.ranks == {"x": 1.25, "y": 1.75, "z": 3.0}
    assert found.tasks == ("a", "b")
    assert found.critical_difference == pytest.approx(2.343 * (3 * 4 / (6 * 2)) ** 0.5, rel=1e-3)
    # Rank sums 2.5, 3.5 and 6, with one pair of ties.
    chi, _ = friedman(np.array([[1.0, 2, 3], [1.5, 1.5, 3]]))
    assert found.friedman == pytest.approx(chi)
    assert chi == pytest.approx((12 / (2 * 3 * 4) * (2.5**2 + 3.5**2 + 6**2) - 3 * 2 * 4) / (1 - 6 / (2 * 3 * 8)))


def test_ranks_use_what_all_have_searched(comparison):
    cheap = comparison(constant(ours=5.0, theirs=4.0), tasks=("a", "b", "c"), seeds=4)
    slow = comparison(constant(slow=6.0), tasks=("b", "c"), algorithms=("slow",), seeds=2, budget=20)
    alone = comparison(constant(other=6.0), tasks=("d",), algorithms=("other",), seeds=2)
    found = ranking(Comparison.joined([cheap, slow, alone]), BestAtEnd())
    assert found.tasks == ("b", "c")
    assert found.ranks == {"slow": 1, "ours": 2, "theirs": 3}
    assert found.left_out == ("other",)


def test_ranks_have_the_block_with_the_most_pairs_though_it_is_no_task_of_its_own(comparison):
    a = comparison(constant(ours=5.0, theirs=4.0, third=3.0, one=6.0), algorithms=("ours", "theirs", "third", "one"))
    b = comparison(
        constant(ours=5.0, theirs=4.0, third=3.0, two=6.0), tasks=("b",), algorithms=("ours", "theirs", "third", "two")
    )
    found = ranking(Comparison.joined([a, b]), BestAtEnd())
    assert found.tasks == ("a", "b")
    assert found.ranks == {"ours": 1, "theirs": 2, "third": 3}
    assert found.left_out == ("one", "two")


def test_who_is_left_out_does_not_shorten_what_the_others_are_ranked_on(comparison):
    late = comparison(lambda task, name, seed: [1.0] * 55 + [5.0 if name == "ours" else 2.0], tasks=tuple("abcd"))
    brief = comparison(constant(brief=3.0), tasks=("a",), algorithms=("brief",), budget=30)
    found = ranking(Comparison.joined([late, brief]), BestAtEnd())
    assert (found.tasks, found.ranks) == (tuple("abcd"), {"ours": 1, "theirs": 2})
    assert ranking(Comparison.joined([late, brief]), BestAfter()).tasks == tuple("abcd")


def test_one_task_has_ranks_and_no_critical_difference(comparison):
    found = ranking(comparison(constant(ours=5.0, theirs=4.0)), BestAtEnd())
    assert (found.critical_difference, found.friedman) == (None, None)
    assert (
        ranking(comparison(constant(ours=5.0, theirs=4.0), contest=replace(UP, optimum=None)), QueriesToOptimum())
        is None
    )


def test_a_grid_grows_and_nothing_is_taken_away():
    small = Grid(contests={"a": UP}, algorithms=("ours",), seeds=2, budget=5, version="1")
    grown = replace(small, contests={"b": UP, "a": UP}, algorithms=("theirs", "ours"), seeds=3)
    assert small.hindrance(small) == small.hindrance(grown) == ""
    assert grown.hindrance(small) == "seeds 3, now 2"
    assert small.hindrance(replace(small, budget=6)) == "budget 5, now 6"
    assert small.hindrance(replace(small, version="2")) == "version 1, now 2"
    assert (
        small.hindrance(replace(small, contests={"a": replace(UP, limits=("x<=1",))})) == "limits of a: none, now x<=1"
    )
    assert set(small.cells) < set(grown.cells)
    assert Cell("b", "theirs", 2) in grown.cells
