"""The suite of executors, on ours and on one of the standard library; and what it finds."""

from __future__ import annotations

from concurrent.futures import Executor, Future, ThreadPoolExecutor

import pytest

from optiproxy.execution.executors import InlineExecutor, ProcessExecutor
from optiproxy.testing import ExecutorConformance


class TestOurs(ExecutorConformance):
    @pytest.fixture(params=[InlineExecutor, lambda: ThreadPoolExecutor(2), lambda: ProcessExecutor(1)])
    def executor(self, request):
        with request.param() as executor:
            yield executor


class _Raising(Executor):
    """Lets the exception of a call out of `submit`."""

    def submit(self, fn, /, *args, **kwargs):
        future = Future()
        future.set_result(fn(*args, **kwargs))
        return future


class _Deaf(Executor):
    """Loses the named arguments."""

    def submit(self, fn, /, *args, **kwargs):
        return InlineExecutor().submit(fn, *args)


class _Unkeyed(Executor):
    """Answers each call with what the first one returned."""

    def __init__(self):
        self._first = None

    def submit(self, fn, /, *args, **kwargs):
        self._first = self._first or InlineExecutor().submit(fn, *args, **kwargs)
        return self._first


class _Direct(Executor):
    """Returns the value and no future."""

    def submit(self, fn, /, *args, **kwargs):
        return fn(*args, **kwargs)


@pytest.mark.parametrize(
    ("executor", "check"),
    [
        (_Direct(), "a_future_holds_what_the_call_returns"),
        (_Deaf(), "arguments_may_be_named"),
        (_Unkeyed(), "every_call_is_answered_by_its_own_future"),
        (_Raising(), "an_exception_belongs_to_its_call_alone"),
        (_Unkeyed(), "a_search_finds_what_it_finds_without_an_executor"),
    ],
)
def test_an_executor_that_breaks_a_rule_is_found(executor, check):
    with pytest.raises((AssertionError, ValueError)):
        getattr(ExecutorConformance(), f"test_{check}")(executor)
