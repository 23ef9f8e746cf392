"""A space out of a ConfigSpace object (Lindauer et al. 2019, arXiv 1908.06756)."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from importlib import import_module
from typing import Any

from optiproxy.errors import UsageError
from optiproxy.spaces.building.define_by_run import Suggestions, space_of
from optiproxy.spaces.decisions import MOST_CHOICES, Choice
from optiproxy.spaces.space import Space
from optiproxy.spaces.wrappers.wrapper import where


def space_from_configspace(configuration_space: Any, *, name: str | None = None) -> Space:  # noqa: ANN401 - of a package that need not be there
    """Take over categories, ordinals, integers and constants, with their conditions and forbidden clauses.

    Args:
        configuration_space: A ``ConfigSpace.ConfigurationSpace``.
        name: Part of the study's identity; None takes that of the configuration space.

    Raises:
        UsageError: If the package is not installed, the object is something else, or it has a float or an integer with
            more than `MOST_CHOICES` values.
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
            conditions = configuration_space.parent_conditions_of[parameter]
            if all(_holds(condition, trial.params, package) for condition in conditions):
                trial.suggest_categorical(parameter, options)

    space = space_of(suggest, name=name or configuration_space.name or "configspace")
    forbidden = list(configuration_space.forbidden_clauses)
    if not forbidden:
        return space

    def admitted(values: Mapping[str, Choice]) -> bool:
        active = space.active(space.architecture(values))
        known = {d.name: values[d.name] for i, d in enumerate(space.decisions) if i in active}
        return not any(_forbids(clause, known) for clause in forbidden)

    return where(space, admitted)


def _choices(parameter: Any) -> tuple[Choice, ...]:  # noqa: ANN401 - a hyperparameter
    """Every value, in order."""
    for attribute in ("choices", "sequence"):
        if hasattr(parameter, attribute):
            return tuple(getattr(parameter, attribute))
    if hasattr(parameter, "value"):
        return (parameter.value,)
    if not isinstance(parameter.lower, int) or parameter.upper - parameter.lower >= MOST_CHOICES:
        raise UsageError(
            f"Expected {parameter.name!r} to have at most {MOST_CHOICES} values, got {parameter}. List the values to try "
            "in an ordinal or categorical parameter."
        )
    return tuple(range(parameter.lower, parameter.upper + 1))


def _holds(condition: Any, values: Mapping[str, Choice], package: Any) -> bool:  # noqa: ANN401 - of ConfigSpace
    """Whether a condition is met; one on a parameter that is not active itself never is."""
    if isinstance(condition, package.AndConjunction):
        return all(_holds(part, values, package) for part in condition.components)
    if isinstance(condition, package.OrConjunction):
        return any(_holds(part, values, package) for part in condition.components)
    return condition.parent.name in values and bool(condition.satisfied_by_value(dict(values)))


def _forbids(clause: Any, values: Mapping[str, Choice]) -> bool:  # noqa: ANN401 - of ConfigSpace
    with suppress(KeyError):  # it speaks of a parameter that is not active
        return bool(clause.is_forbidden_value(dict(values)))
    return False
