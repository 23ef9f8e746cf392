"""A space out of a function that suggests parameters, as Optuna's objectives do."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, final

from optiproxy.errors import UsageError
from optiproxy.spaces.building.conditional import ConditionalSpace
from optiproxy.spaces.building.exploring import explore
from optiproxy.spaces.building.tracing import Trace, Tracer
from optiproxy.spaces.decisions import MOST_CHOICES, Choice, Decision, RangeDecision


def space_of(suggest: Callable[[Any], object], *, name: str = "define-by-run") -> ConditionalSpace:
    """The decisions that a function suggests, with the conditions under which it does.

    It is called about once per choice, so it should suggest and do nothing else: a function that trains would train each
    time. Put what suggests into a function of its own, which the objective calls.

    Args:
        suggest: Called with a stand-in for an Optuna trial; what it returns does not matter.
        name: Part of the study's identity.

    Raises:
        UsageError: If a parameter cannot be enumerated, or nothing is suggested.
    """

    def trace(positions: Mapping[str, int]) -> Trace:
        tracer = Tracer(positions)
        try:
            suggest(Suggestions(tracer))
        except UsageError:
            raise
        except Exception as error:  # noqa: BLE001 - the user's code
            tracer.trace.error = error
        return tracer.trace

    return ConditionalSpace(explore(trace), name=name)


@final
class Suggestions:
    """A stand-in for an Optuna trial that answers what shapes the space, and ignores what is reported.

    Args:
        tracer: Answers and writes down.
    """

    def __init__(self, tracer: Tracer) -> None:
        self._tracer = tracer
        self.number = 0
        self.params: dict[str, Choice] = {}

    def suggest_categorical(self, name: str, choices: Sequence[Choice]) -> Choice:
        return self._suggest(Decision(name, tuple(choices)))

    def suggest_int(self, name: str, low: int, high: int, *, step: int = 1, log: bool = False) -> int:
        values = range(low, high + 1, step)
        if len(values) > MOST_CHOICES:
            raise UsageError(
                f"The parameter {name!r} has {len(values)} values, and a decision may have {MOST_CHOICES}. Give it a "
                "larger step, or list the values with suggest_categorical."
            )
        return self._suggest(RangeDecision(name, tuple(values), values, log))

    def suggest_float(
        self, name: str, low: float, high: float, *, step: float | None = None, log: bool = False
    ) -> float:
        del high, log
        raise UsageError(
            f"The parameter {name!r} is a float{'' if step is None else ' with a step'}, and an architecture is made of "
            f"choices. List the values to try with suggest_categorical, {low:g} and so on."
        )

    def report(self, value: float, step: int) -> None:
        """Do nothing: a value does not shape the space."""

    def should_prune(self) -> bool:
        return False

    def set_user_attr(self, key: str, value: object) -> None:
        """Do nothing, as with `report`."""

    def _suggest(self, decision: Decision) -> Any:  # noqa: ANN401 - one of the choices
        self.params[decision.name] = choice = decision.choices[self._tracer.reveal(decision)]
        return choice
