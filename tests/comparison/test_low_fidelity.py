"""What a comparison makes of searches at a lower fidelity."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest

from optiproxy import registry
from optiproxy.comparison.folder import Folder
from optiproxy.comparison.grid import Grid, TaskSetting
from optiproxy.comparison.scores import final_incumbent, incumbent_curves
from optiproxy.comparison.statistics import analyze
from optiproxy.comparison.worker import search_once
from optiproxy.errors import StudyError
from optiproxy.metrics import Goal, Limit, Metric, Objective
from optiproxy.reporting.comparison.page import Report
from optiproxy.reporting.words import number
from optiproxy.searching.settings import SearchSettings
from optiproxy.spaces import FlatSpace
from optiproxy.tables import TableTask
from optiproxy.task.task import Source

pytestmark = pytest.mark.slow

CELLS = np.array([[a, b] for a in range(4) for b in range(4)])


def short():
    """Sixteen networks; cheap trainings rate the worst one highest, far above what any reaches in full."""
    cheap, full = CELLS.sum(1) + 0.1 * CELLS[:, 0], 10.0 + CELLS.sum(1) + 0.1 * CELLS[:, 0]
    cheap[0] = 1000.0
    return TableTask(
        "short",
        FlatSpace({"a": [*range(4)], "b": [*range(4)]}),
        metrics=(
            Metric(name="accuracy", direction="max"),
            Metric(name="test", direction="max", reported_only=True),
            Metric(name="size", direction="min", free=True),
        ),
        goal=Goal((Objective("accuracy"), Objective("size", "min")), (Limit("size", 2.0),)),
        source=Source("made-up", "16 values"),
        architectures=CELLS,
        columns={
            "accuracy": np.stack([cheap, full], axis=1),
            "test": np.stack([cheap, -full], axis=1),
            "size": CELLS[:, 1],
        },
        fidelities=(12, 200),
        queried=("size",),
        search_fidelity=12,
    )


@pytest.fixture
def comparison(tmp_path, monkeypatch):
    monkeypatch.setattr(registry, "task", lambda name, source=None: short())
    settings = SearchSettings(budget=8, free=("size",))
    setting = TaskSetting.of(short(), settings)
    grid = Grid(tasks={"short": setting}, algorithms=("random",), seeds=2, budget=8, version="1")
    folder = Folder(tmp_path / "out")
    folder.claim(grid)
    for run in grid.runs:
        search_once(run, setting, settings, path=folder.part(run))
    return folder.comparison()


def test_only_full_values_count_as_the_best(comparison):
    assert len(comparison.results) == sum(len(grid.runs) for grid in comparison.grids) > 0
    for outcome in comparison.results:
        low, full = outcome.queries[:8], outcome.queries[8:]
        assert {query.fidelity for query in low} == {12}
        assert {query.best_so_far for query in low} == {None}
        assert {query.fidelity for query in full} == {200}
        found = [query.metrics["accuracy"] for query in full]
        assert [query.best_so_far for query in full] == np.maximum.accumulate(found).tolist()
        assert [query.epochs for query in outcome.queries] == [12 * n for n in range(1, 9)] + [
            96 + 200 * n for n in range(1, len(full) + 1)
        ]
        assert final_incumbent(outcome).metrics["accuracy"] == max(found)


def test_the_summary_is_of_full_values_and_says_so(comparison):
    figures = comparison.summaries["short"]["random"]
    bests = [max(query.metrics["accuracy"] for query in outcome.queries[8:]) for outcome in comparison.results]
    assert figures.best_mean == pytest.approx(np.mean(bests))
    assert figures.best_mean < 20
    assert figures.test_mean == pytest.approx(-np.mean(bests))
    assert (figures.fidelity, figures.promote, figures.budget) == (12, 10, 8)
    assert (figures.free, figures.queried, figures.feasible_share) == (("size",), (), 1.0)
    assert figures.objective == "accuracy:max"
    lengths = [len(outcome.queries) - 8 for outcome in comparison.results]
    assert figures.epochs_mean == pytest.approx(96 + 200 * np.mean(lengths))


def test_curves_run_over_the_promotions(comparison):
    runs = comparison.runs("short", "random")
    curves = incumbent_curves(runs.results, runs.setting.first_objective, queries=runs.queries)
    assert curves.shape == (2, 18)
    assert np.isneginf(curves[:, :8]).all()
    assert np.isfinite(curves[:, 8:]).all()


def test_a_search_that_misses_the_optimum_counts_with_its_promotions(comparison):
    figures = comparison.summaries["short"]["random"]
    met = [any(q.best_so_far == figures.optimum for q in outcome.queries) for outcome in comparison.results]
    assert figures.censored == met.count(False)
    if not all(met):
        assert figures.queries_to_optimum_mean > 8


def test_the_page_says_all_of_it(comparison):
    page = Report(comparison, analyze(comparison)).page()
    assert re.search(r"8 queries at fidelity 12, .* 10 .* 200", page)
    assert re.search(r"\(free\)[^.]*: size\.", page)
    assert re.search(r"first objective, accuracy", page)
    assert "Maximize accuracy and minimize size, with size at most 2." in page
    assert "--free size" in page
    assert "at fidelity 200" in page
    epochs = comparison.summaries["short"]["random"].epochs_mean
    assert f"{number(epochs)} with random" in page


def test_settings_keep_the_protocol_and_another_is_refused(comparison, tmp_path):
    folder = Folder(tmp_path / "out")
    assert folder.grid() == comparison.grids[0]
    assert folder.grid().tasks["short"].protocol.full == 200
    queried = Grid(
        **{**vars(comparison.grids[0]), "tasks": {"short": TaskSetting.of(short(), SearchSettings(budget=8))}}
    )
    with pytest.raises(StudyError, match="free of short: size, now none"):
        folder.claim(queried)


def test_settings_of_an_earlier_version_can_be_read(comparison, tmp_path):
    old = json.loads(json.dumps(comparison.grids[0].to_json()))
    for name in ("protocol", "others"):
        del old["contests"]["short"][name]
    (tmp_path / "out/settings.json").write_text(json.dumps(old))
    setting = Folder(tmp_path / "out").grid().tasks["short"]
    assert (setting.protocol.fidelity, setting.protocol.free, setting.others) == (None, (), ())
