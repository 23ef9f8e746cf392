from __future__ import annotations

import pytest

from optiproxy.errors import SearchFailed
from optiproxy.metrics import Goal, Limit, Objective
from optiproxy.results.result import SearchResult
from optiproxy.spaces import FlatSpace
from optiproxy.storage.record import Record
from optiproxy.task.protocol import QueryProtocol
from optiproxy.task.task import Source

GOAL = Goal((Objective("loss", "min"),), (Limit("params", 5.0),))


def _result(*told, protocol=None):
    """A search that measured ``(loss, params, fidelity)`` one after the other; None failed."""
    records = [
        Record(
            number=i,
            architecture=(i % 9,),
            state="failed" if loss is None else "complete",
            metrics={} if loss is None else {"loss": loss, "params": params},
            fidelity=fidelity,
        )
        for i, (loss, params, fidelity) in enumerate(told)
    ]
    return SearchResult(
        task="t",
        space=FlatSpace({"a": [*range(9)]}),
        goal=GOAL,
        source=Source("s", ""),
        algorithm="random",
        seed=0,
        budget=9,
        records=tuple(records),
        stopped="budget",
        study="s",
        protocol=protocol or QueryProtocol(),
    )


def test_the_curve_keeps_the_best_feasible():
    found = _result((None, 0, None), (1.0, 9.0, None), (4.0, 1.0, None), (6.0, 1.0, None), (3.0, 5.0, None))
    assert found.best_so_far == (None, None, 4.0, 4.0, 3.0)
    assert found.best.number == 4


def test_the_answer_is_chosen_at_the_full_fidelity_alone():
    found = _result(
        (0.1, 1.0, 5), (0.2, 1.0, 5), (0.9, 1.0, None), (None, 0, None), (0.8, 1.0, None), (0.3, 9.0, None),
        protocol=QueryProtocol(fidelity=5, promote=4, full=50),
    )  # fmt: skip
    assert found.best_so_far == (None, None, 0.9, 0.9, 0.8, 0.8)
    assert [record.number for record in found.front] == [found.best.number] == [4]
    assert found.epochs == 2 * 5 + 4 * 50


def test_what_is_recommended_is_a_feasible_record_at_the_full_fidelity():
    told = [(9.0 - i % 5, 1.0 + i % 6, None) for i in range(40)]
    found = _result(*((0.0, 1.0, 5) for _ in range(20)), *told, protocol=QueryProtocol(fidelity=5, promote=40, full=50))
    assert found.recommended in found.full
    assert found.goal.feasible(found.recommended.metrics)
    assert found.recommended is found.recommended


def test_one_record_is_the_best_and_the_recommended():
    found = _result((3.0, 1.0, None), (2.0, 9.0, None))
    assert found.recommended is found.best is found.records[0]


def test_without_fidelities_nothing_is_said_of_epochs():
    assert _result((1.0, 1.0, None)).epochs is None


def test_a_search_that_has_promoted_nothing_has_no_answer():
    found = _result((0.1, 1.0, 5), protocol=QueryProtocol(fidelity=5, promote=1, full=50))
    assert not found.has_best
    with pytest.raises(SearchFailed, match="so there is no best architecture"):
        _ = found.best
    assert found.front == ()


def test_it_is_short_where_it_is_printed():
    assert repr(_result((None, 0, None), (1.0, 2.0, None))) == (
        "<SearchResult of t: 2 queries, budget, best #1 {'loss': 1.0, 'params': 2.0}>"
    )
    assert repr(_result((None, 0, None))) == "<SearchResult of t: 1 queries, budget, nothing feasible>"
