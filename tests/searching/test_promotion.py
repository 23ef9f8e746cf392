from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from optiproxy.metrics import Goal, Limit, Objective
from optiproxy.searching.phases import awaiting_promotion, best_at_lower_fidelity
from optiproxy.spaces import FlatSpace
from optiproxy.storage.record import Record


class _Unordered(FlatSpace):
    """``(1, 2)`` is the same network as ``(2, 1)``."""

    def canonical(self, architecture):
        return tuple(sorted(architecture))


SPACE = _Unordered({"a": [*range(10)], "b": [*range(10)]})
ONE = Goal((Objective("score"),))
TWO = Goal((Objective("score"), Objective("cost", "min")))
LIMITED = Goal((Objective("score"),), (Limit("cost", 5.0),))


def _record(number, architecture, metrics, fidelity=5):
    state = "complete" if metrics else "failed"
    return Record(number=number, architecture=architecture, state=state, metrics=metrics, fidelity=fidelity)


def _records(*told):
    return [_record(i, architecture, {"score": s, "cost": c}) for i, (architecture, s, c) in enumerate(told)]


def test_the_best_come_first_and_of_isomorphic_ones_one():
    records = _records(((0, 0), 1, 1), ((0, 1), 9, 1), ((1, 0), 8, 1), ((0, 2), 7, 1), ((0, 3), 3, 1))
    assert [r.number for r in best_at_lower_fidelity(records, ONE, SPACE, 3)] == [1, 3, 4]


def test_failures_infeasible_ones_and_full_evaluations_are_not_promoted():
    records = [
        *_records(((0, 0), 1, 1), ((0, 1), 9, 6)),
        _record(2, (0, 2), {}),
        _record(3, (0, 3), {"score": 99.0, "cost": 1.0}, fidelity=None),
    ]
    assert [r.number for r in best_at_lower_fidelity(records, LIMITED, SPACE, 9)] == [0]
    assert best_at_lower_fidelity(records[2:], LIMITED, SPACE, 9) == []


def test_with_several_objectives_the_front_goes_first():
    records = _records(((0, 0), 5, 5), ((0, 1), 4, 6), ((0, 2), 3, 1), ((0, 3), 1, 7), ((0, 4), 9, 9))
    assert [r.number for r in best_at_lower_fidelity(records, TWO, SPACE, 4)] == [4, 0, 2, 1]


def test_a_failed_promotion_is_not_awaited_again_and_a_twin_answers_too():
    records = [
        *_records(((0, 0), 1, 1), ((0, 1), 9, 1), ((0, 2), 8, 1)),
        _record(3, (1, 0), {}, fidelity=None),
    ]
    assert [r.number for r in awaiting_promotion(records, ONE, SPACE, 2)] == [2]
    assert [r.number for r in awaiting_promotion(records, ONE, SPACE, 1)] == []
    assert awaiting_promotion(records, ONE, SPACE, 0) == []


CASES = st.lists(
    st.tuples(st.tuples(st.integers(0, 3), st.integers(0, 3)), st.integers(0, 4), st.integers(0, 8)), max_size=20
)


@given(CASES, st.integers(0, 12))
def test_whoever_is_left_out_is_no_better(told, count):
    records = _records(*told)
    for goal in (ONE, LIMITED, TWO):
        chosen = best_at_lower_fidelity(records, goal, SPACE, count)
        keys = [SPACE.canonical(record.architecture) for record in chosen]
        assert len(set(keys)) == len(keys) <= count
        feasible = {SPACE.canonical(r.architecture) for r in records if goal.feasible(r.metrics)}
        assert len(keys) == min(count, len(feasible))
        out = [r for r in records if goal.feasible(r.metrics) and SPACE.canonical(r.architecture) not in keys]
        for left in out:
            for taken in chosen:
                gains, others = goal.gains(left.metrics), goal.gains(taken.metrics)
                assert not (gains != others and all(a >= b for a, b in zip(gains, others, strict=True)))
