"""What a search tells while it runs: to any observer, a bar on a terminal or lines in a log."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol, TypeVar, final

from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from optiproxy.errors import printable
from optiproxy.metrics import Goal
from optiproxy.results.hypervolume import Box
from optiproxy.storage.record import Record

if TYPE_CHECKING:
    from rich.console import Console


Item_contra = TypeVar("Item_contra", contravariant=True)


class Observer(Protocol[Item_contra]):
    """Is told how a run of many steps goes: the queries of a search, the searches of a comparison.

    It is called by whatever runs the steps, in that thread, and must not raise.
    """

    def on_start(self, *, total: int, done: Sequence[Item_contra]) -> None:
        """Called once, before the first step of this run.

        Args:
            total: Steps in all.
            done: What earlier runs have finished.
        """
        ...

    def on_finish(self, item: Item_contra, /) -> None:
        """Called after each step, when its result has been stored."""
        ...

    def on_end(self) -> None:
        """Called once, also after an interrupt or an error."""
        ...


class SearchObserver(Observer[Record], Protocol):
    """Is told how a search goes."""

    def on_news(self, text: str) -> None:
        """Called now and then while no query finishes, from any thread: what goes on meanwhile."""
        ...


@final
class Silence:
    """Tells nothing, of whatever is observed."""

    def on_start(self, *, total: int, done: Sequence[object]) -> None: ...

    def on_finish(self, item: object, /) -> None: ...

    def on_news(self, text: str) -> None: ...

    def on_end(self) -> None: ...


SILENCE = Silence()


@final
class Lines:
    """One line per query, for logs and pipes."""

    def __init__(self, goal: Goal, console: Console) -> None:
        self._goal = goal
        self._console = console
        self._records: list[Record] = []
        self._total = self._before = 0
        self._began = 0.0

    def on_start(self, *, total: int, done: Sequence[Record]) -> None:
        self._records, self._total, self._before, self._began = [*done], total, len(done), time.monotonic()
        self._say(beginning(total, done, self._goal))

    def on_finish(self, record: Record) -> None:
        self._records.append(record)
        done = len(self._records)
        # Of this run alone: what an earlier one has finished took no time now.
        pace = (time.monotonic() - self._began) / (done - self._before)
        left = f"{pace * max(0, self._total - done):.0f} s left"
        self._say(f"{done}/{self._total}  {story(record, self._goal)}  {best(self._records, self._goal)}  {left}")
        if trace := first_traceback(self._records):
            self._say(trace)

    def on_news(self, text: str) -> None:
        self._say(text)

    def on_end(self) -> None: ...

    def _say(self, line: str) -> None:
        self._console.print(printable(line), markup=False, highlight=False, soft_wrap=True)


@final
class Live:
    """A progress bar in a terminal; failures scroll by above it."""

    def __init__(self, goal: Goal, console: Console) -> None:
        self._goal = goal
        self._records: list[Record] = []
        # The stream of now. While a training runs here, `sys.stderr` keeps what it prints and leads back to this console.
        console.file = console.file
        self._bar = Progress(
            BarColumn(bar_width=20),
            MofNCompleteColumn(),
            TextColumn("{task.fields[best]}", style="bold"),
            TextColumn("{task.fields[last]}", style="dim"),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
            console=console,
        )
        self._line = self._bar.add_task("queries", start=False, best="", last="")

    def on_start(self, *, total: int, done: Sequence[Record]) -> None:
        self._records = [*done]
        self._bar.console.print(printable(beginning(total, done, self._goal)), markup=False, highlight=False)
        self._bar.update(self._line, total=total, completed=len(done), best=_marked(best(done, self._goal)))
        self._bar.start_task(self._line)
        self._bar.start()

    def on_finish(self, record: Record) -> None:
        self._records.append(record)
        shown = _marked(story(record, self._goal))
        # A failure stays readable; the bar itself is drawn over.
        if record.reason:
            self._bar.console.print(shown, style="yellow", highlight=False)
            if trace := first_traceback(self._records):
                self._bar.console.print(printable(trace), style="dim", markup=False, highlight=False)
        self._bar.update(self._line, advance=1, best=_marked(best(self._records, self._goal)), last=shown)

    def on_news(self, text: str) -> None:
        self._bar.update(self._line, last=_marked(text))

    def on_end(self) -> None:
        self._bar.stop()


@final
class Logged:
    """Records of Python's `logging`, under ``optiproxy``."""

    def __init__(self, goal: Goal) -> None:
        self._goal = goal
        self._logger = logging.getLogger("optiproxy")
        # As libraries do: whoever wants to see it sets a handler, and nobody sees it by accident.
        if not self._logger.handlers:
            self._logger.addHandler(logging.NullHandler())

    def on_start(self, *, total: int, done: Sequence[Record]) -> None:
        self._logger.info("%s", printable(beginning(total, done, self._goal)))

    def on_finish(self, record: Record) -> None:
        self._logger.log(logging.WARNING if record.reason else logging.INFO, "%s", printable(story(record, self._goal)))

    def on_news(self, text: str) -> None:
        self._logger.info("%s", printable(text))

    def on_end(self) -> None: ...


@final
class Together:
    """Several observers as one."""

    def __init__(self, observers: Sequence[SearchObserver]) -> None:
        self._observers = observers

    def on_start(self, *, total: int, done: Sequence[Record]) -> None:
        for observer in self._observers:
            observer.on_start(total=total, done=done)

    def on_finish(self, record: Record) -> None:
        for observer in self._observers:
            observer.on_finish(record)

    def on_news(self, text: str) -> None:
        for observer in self._observers:
            observer.on_news(text)

    def on_end(self) -> None:
        for observer in self._observers:
            observer.on_end()


def _marked(text: str) -> str:
    """A text where rich reads markup."""
    return escape(printable(text))


def observer_for(goal: Goal, console: Console) -> SearchObserver:
    """`Live` in a terminal, `Lines` elsewhere."""
    return Live(goal, console) if console.is_terminal else Lines(goal, console)


def beginning(total: int, done: Sequence[Record], goal: Goal) -> str:
    """That a search begins, or goes on."""
    wanted = ", ".join([*map(str, goal.objectives), *map(str, goal.limits)])
    if not done:
        return f"searching for {wanted}: {total} queries"
    failed = sum(record.state == "failed" for record in done)
    told = f", {failed} of them failed (retry_failed tries them again)" if failed else ""
    return f"resumed, {len(done)} of {total} done{told}, {best(done, goal)}"


def first_traceback(records: Sequence[Record]) -> str:
    """The traceback of the latest record, if it is the first failure at its place in the code; else empty."""
    *before, last = records
    places = {record.kind.rpartition(" at ")[2] for record in before}
    return "" if last.kind.rpartition(" at ")[2] in places else last.traceback.rstrip()


def story(record: Record, goal: Goal) -> str:
    """What became of a query: its objectives, predicted against observed, or why it failed."""
    if record.reason:
        return f"#{record.number} failed: {record.reason}"
    if record.state == "pruned":
        step = max(record.curve, default=None)
        return f"#{record.number} pruned" + ("" if step is None else f" at {record.curve[step]:.5g} after step {step}")
    told = [f"{name} {_against(record.predicted.get(name), record.metrics.get(name))}" for name in goal.metric_names]
    broken = "" if goal.feasible(record.metrics) else " (infeasible)"
    return f"#{record.number} {', '.join(told)}{broken}"


def best(records: Sequence[Record], goal: Goal) -> str:
    """The best record's objective and number, or the size of the front and its hypervolume within the `Box` seen so far.

    Of records at two fidelities those at the full one count, as soon as one of them is feasible.
    """
    feasible = [record for record in records if goal.feasible(record.metrics)]
    # Values at two fidelities do not compare.
    shown = [record for record in feasible if record.fidelity is None] or feasible
    front = [shown[i] for i in goal.front([record.metrics for record in shown])]
    if not front:
        return "best: none feasible yet"
    where = "" if front[0].fidelity is None else f" at fidelity {front[0].fidelity}"
    box = Box.around(goal, [record.metrics for record in shown])
    first, *others = goal.objectives
    if others and box:
        return f"front{where}: {len(front)}, hypervolume {box.share([record.metrics for record in front]):.3f}"
    return f"best{where}: {first.metric} {front[0].metrics[first.metric]:.5g} (#{front[0].number})"


def _against(predicted: float | None, observed: float | None) -> str:
    seen = "missing" if observed is None else f"{observed:.5g}"
    return seen if predicted is None else f"{seen} (predicted {predicted:.5g})"
