"""Spaces out of what was written for other libraries: functions that suggest to Optuna, and ConfigSpace's objects.

A ConfigSpace (Lindauer et al. 2019, arXiv 1908.06756) is read as a function that suggests its parameters in turn.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from importlib import import_module
from typing import Any, NoReturn, final

from optiproxy.errors import UsageError
from optiproxy.spaces.building.conditional import ConditionalSpace
from optiproxy.spaces.building.exploring import explore
from optiproxy.spaces.building.tracing import Trace, Tracer
from optiproxy.spaces.decisions import Choice, Decision
from optiproxy.spaces.ranges import Float, Int
from optiproxy.spaces.restricted import where
from optiproxy.spaces.scales import Ordered
from optiproxy.spaces.space import Space


def space_of(suggest: Callable[[Any], object], *, name: str = "define-by-run") -> ConditionalSpace:
    """Return the decisions that a function suggests, with the conditions under which it does.

    It is called about once per choice, so it should suggest and do nothing else: a function that trains would train each
    time. Put what suggests into a function of its own, which the objective calls.

    Args:
        suggest: Called with a stand-in for an Optuna trial; what it returns does not matter.
        name: Part of the study's identity.

    Raises:
        UsageError: If nothing is suggested, or a range is empty.
    """

    def trace(positions: Mapping[str, int]) -> Trace:
        tracer = Tracer(positions)
        try:
            suggest(Suggestions(tracer))
        except UsageError:
            raise
        except Exception as error:  # noqa: BLE001 - the user's code
            # Explored further all the same: some combinations of choices may not fit together, others will.
            tracer.trace.error = error
        return tracer.trace

    return ConditionalSpace(explore(trace), name=name)


@final
class Suggestions:
    """A stand-in for an Optuna trial that answers what shapes the space, and forgets what is reported.

    Args:
        tracer: Answers and writes down.
    """

    def __init__(self, tracer: Tracer) -> None:
        self._tracer = tracer
        # Functions may read these, but nothing should depend on them: the space is the same in every trial.
        self.number = 0
        self.datetime_start = datetime(1970, 1, 1)  # noqa: DTZ001 - Optuna's times are naive
        self.params: dict[str, Any] = {}
        self.relative_params: dict[str, Any] = {}
        self.user_attrs: dict[str, object] = {}
        self.system_attrs: dict[str, object] = {}
        self.constraints: dict[str, float] = {}

    def __getattr__(self, name: str) -> NoReturn:
        if name.startswith("__"):  # asked for by Python itself, which expects that it may be missing
            raise AttributeError(name)
        raise UsageError(
            f"The function asks its trial for {name!r}, but while a space is made there is only a stand-in, which can suggest "
            "and report. Put what suggests into a function of its own, and call that from the objective."
        )

    def suggest_categorical(self, name: str, choices: Sequence[Any]) -> Any:  # noqa: ANN401 - one of them
        return self.suggest(Decision.of(name, choices))

    def suggest_int(self, name: str, low: int, high: int, *, step: int = 1, log: bool = False) -> int:
        return self.suggest(Decision(name, Int(low, high, step=step, log=log)))

    def suggest_float(
        self, name: str, low: float, high: float, *, step: float | None = None, log: bool = False
    ) -> float:
        return self.suggest(Decision(name, Float(low, high, step=step, log=log)))

    def report(self, value: float, step: int) -> None:
        """Do nothing: a value does not shape the space."""

    # Never, because what the function would suggest afterwards is part of the space.
    def should_prune(self) -> bool:
        return False

    def set_user_attr(self, key: str, value: object) -> None:
        """Keep it for this run, in which the function may read it."""
        self.user_attrs[key] = value

    def set_constraint(self, key: str, value: float) -> None:
        """Keep it, as with `set_user_attr`."""
        self.constraints[key] = value

    # Under their old names.
    def suggest_uniform(self, name: str, low: float, high: float) -> float:
        return self.suggest_float(name, low, high)

    def suggest_loguniform(self, name: str, low: float, high: float) -> float:
        return self.suggest_float(name, low, high, log=True)

    def suggest_discrete_uniform(self, name: str, low: float, high: float, q: float) -> float:
        return self.suggest_float(name, low, high, step=q)

    def suggest(self, decision: Decision) -> Any:  # noqa: ANN401 - one of the choices
        """Ask for any decision."""
        self.params[decision.name] = choice = decision.objects[self._tracer.reveal(decision)]
        return choice


def space_from_configspace(configuration_space: Any, *, name: str | None = None) -> Space:  # noqa: ANN401 - of a package that need not be there
    """Take over every kind of parameter, with conditions and forbidden clauses.

    Args:
        configuration_space: A ``ConfigSpace.ConfigurationSpace``.
        name: Part of the study's identity; None takes that of the configuration space.

    Raises:
        UsageError: If the package is not installed, or the object is something else.
    """
    try:
        package = import_module("ConfigSpace")
    except ImportError as error:
        raise UsageError(
            "A space of ConfigSpace needs that package. Install it: pip install 'optiproxy[configspace]'."
        ) from error
    if not isinstance(configuration_space, package.ConfigurationSpace):
        raise UsageError(f"Expected a ConfigSpace.ConfigurationSpace, got {type(configuration_space).__name__}.")
    # Parents come before their children.
    choices = {parameter.name: _choices(parameter) for parameter in configuration_space.values()}

    def suggest(trial: Suggestions) -> None:
        for parameter, options in choices.items():
            # Parents come first, so those that are active are among the suggested ones by now.
            conditions = configuration_space.parent_conditions_of[parameter]
            if all(_holds(condition, trial.params, package) for condition in conditions):
                trial.suggest(Decision(parameter, options))

    space = space_of(suggest, name=name or configuration_space.name or "configspace")
    forbidden = list(configuration_space.forbidden_clauses)
    if not forbidden:
        return space

    def admitted(values: Mapping[str, Choice]) -> bool:
        active = space.active(space.architecture(values))
        known = {d.name: values[d.name] for i, d in enumerate(space.decisions) if i in active}
        return not any(_forbids(clause, known) for clause in forbidden)

    # A forbidden clause rules out combinations and hides no decision, so it is a rule and no condition.
    return where(space, admitted)


def _choices(parameter: Any) -> Sequence[Choice]:  # noqa: ANN401 - a hyperparameter
    """Return every value, in order."""
    # Told apart by what they have: categories have choices, ordinals a sequence, constants a value, ranges bounds.
    if hasattr(parameter, "choices"):
        weights = parameter.probabilities
        # ConfigSpace never draws what has no weight.
        return tuple(choice for choice, weight in zip(parameter.choices, weights, strict=True) if weight > 0)
    if hasattr(parameter, "sequence"):
        return Ordered(tuple(parameter.sequence))
    if hasattr(parameter, "value"):
        return (parameter.value,)
    bounds = (parameter.lower, parameter.upper)
    if isinstance(parameter.lower, int):
        return Int(*bounds, log=parameter.log)
    return Float(*bounds, log=parameter.log)


def _holds(condition: Any, values: Mapping[str, Choice], package: Any) -> bool:  # noqa: ANN401 - of ConfigSpace
    """Return whether a condition is met; one on a parameter that is not active itself never is."""
    if isinstance(condition, package.AndConjunction):
        return all(_holds(part, values, package) for part in condition.components)
    if isinstance(condition, package.OrConjunction):
        return any(_holds(part, values, package) for part in condition.components)
    return condition.parent.name in values and bool(condition.satisfied_by_value(dict(values)))


def _forbids(clause: Any, values: Mapping[str, Choice]) -> bool:  # noqa: ANN401 - of ConfigSpace
    with suppress(KeyError):  # it speaks of a parameter that is not active
        return bool(clause.is_forbidden_value(dict(values)))
    return False
