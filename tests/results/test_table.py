from __future__ import annotations

import math
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from optiproxy.errors import UsageError
from optiproxy.metrics import Goal, Limit, Objective
from optiproxy.results.result import SearchResult
from optiproxy.results.table import columns
from optiproxy.spaces import FlatSpace, Float
from optiproxy.storage.record import Record
from optiproxy.task.protocol import QueryProtocol
from optiproxy.task.task import Source

SPACE = FlatSpace({"width": [8, 16, 32], "lr": Float(1e-4, 0.1, log=True), "act": ["relu", "gelu"]})


def found(*told, space=SPACE, limits=(), protocol=None, task="t"):
    """A search that measured these metrics one after the other; a text is the reason of a failure."""
    records = [
        Record(
            number=i,
            architecture=(i % 3, *(0,) * (len(space.decisions) - 1)),
            state="failed" if isinstance(one, str) else "complete",
            metrics={} if isinstance(one, str) else one,
            reason=one if isinstance(one, str) else "",
            predicted={"accuracy": 0.5} if i else {},
            evaluation_seconds=1.5,
        )
        for i, one in enumerate(told)
    ]
    return SearchResult(
        task=task,
        space=space,
        goal=Goal((Objective("accuracy"),), limits),
        source=Source("s", ""),
        algorithm="random",
        seed=0,
        budget=len(records),
        records=tuple(records),
        stopped="budget",
        study="s",
        protocol=protocol or QueryProtocol(),
    )


def test_each_query_has_a_row_with_its_decisions_and_metrics():
    result = found(
        {"accuracy": 0.5, "width": 3.0}, "out of memory", {"accuracy": 0.75}, limits=(Limit("accuracy", 0.6, ">="),)
    )
    table = columns(result)
    assert [*table] == [
        *("number", "state", "width", "lr", "act"),
        *("accuracy", "metric_width", "predicted_accuracy", "seconds", "reason"),
    ]  # fmt: skip
    assert table["state"] == ["infeasible", "failed", "feasible"]
    assert table["width"] == [8, 16, 32]
    assert table["lr"] == [1e-4] * 3
    assert table["accuracy"][::2] == [0.5, 0.75]
    assert math.isnan(table["accuracy"][1])
    assert table["reason"] == ["", "out of memory", ""]
    assert "epochs" not in table
    full = columns(found({"accuracy": 1.0}, protocol=QueryProtocol(fidelity=5, promote=1, full=50)))
    assert full["epochs"] == [50]


names = st.sampled_from(
    ["number", "state", "seconds", "reason", "metric_a", "a", "predicted_a", "decision_a", "accuracy"]
)


@given(st.sets(names, min_size=1), st.sets(names))
def test_no_column_takes_the_place_of_another(decisions, metrics):
    result = found(dict.fromkeys(metrics, 1.0), space=FlatSpace({name: [1, 2, 3] for name in decisions}))
    assert len(columns(result)) == 4 + len(decisions) + len(metrics)


def test_pandas_reads_it():
    pandas = pytest.importorskip("pandas")
    frame = found({"accuracy": 0.5}, "failed", {"accuracy": 0.75}).to_dataframe()
    assert isinstance(frame, pandas.DataFrame)
    assert len(frame) == 3
    assert frame.loc[frame["accuracy"].idxmax(), "width"] == 32
    assert len(found().to_dataframe()) == 0


def test_without_pandas_it_is_said_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(UsageError, match="pip install pandas"):
        found({"accuracy": 1.0}).to_dataframe()


def test_a_notebook_shows_the_best_and_the_counts_and_no_markup_of_others():
    hostile = "<script>alert(1)</script>"
    many = FlatSpace({hostile: ["a", "b", "<i>"], **{f"d{i}": [1, 2] for i in range(30)}})
    shown = found(
        {"accuracy": 0.5, hostile: 1.0}, "failed", {"accuracy": 0.75, hostile: 2.0}, space=many, task=hostile
    )._repr_html_()
    assert "2 feasible, 1 failed" in shown
    assert "0.75" in shown
    assert "&lt;i&gt;" in shown
    assert "21 more decisions" in shown
    assert "<script" not in shown
    assert "No feasible architecture" in found("failed")._repr_html_()
    assert "No feasible architecture" in found()._repr_html_()
