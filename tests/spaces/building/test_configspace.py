from __future__ import annotations

import numpy as np
import pytest

from optiproxy.errors import UsageError
from optiproxy.spaces import Space
from optiproxy.testing import SpaceConformance

package = pytest.importorskip("ConfigSpace", reason="ConfigSpace is an extra: pip install 'optiproxy[configspace]'")


@pytest.fixture
def configuration_space():
    found = package.ConfigurationSpace(name="cs", seed=0)
    kind = package.CategoricalHyperparameter("kind", ["cnn", "mlp", "tree"])
    width = package.OrdinalHyperparameter("width", ["s", "m", "l"])
    depth = package.UniformIntegerHyperparameter("depth", 1, 3)
    kernel = package.CategoricalHyperparameter("kernel", [3, 5])
    found.add(kernel, depth, width, kind, package.Constant("stem", "conv"))
    found.add(package.EqualsCondition(kernel, kind, "cnn"))
    found.add(
        package.AndConjunction(
            package.InCondition(depth, kind, ["cnn", "mlp"]), package.GreaterThanCondition(depth, width, "s")
        )
    )
    found.add(
        package.ForbiddenAndConjunction(
            package.ForbiddenEqualsClause(kernel, 5), package.ForbiddenEqualsClause(depth, 3)
        )
    )
    return found


class TestConfigSpace(SpaceConformance):
    @pytest.fixture
    def space(self, configuration_space):
        return Space.from_configspace(configuration_space)


def test_both_admit_the_same_configurations(configuration_space):
    space = Space.from_configspace(configuration_space)
    assert space.name == "cs"
    ours = {frozenset(space.build(a).items()) for a in map(space.canonical, space.everything()) if space.is_valid(a)}
    theirs = {frozenset(dict(found).items()) for found in configuration_space.sample_configuration(1500)}
    assert ours == theirs


def test_either_of_two_conditions_will_do():
    found = package.ConfigurationSpace(seed=0)
    a, b, c = (package.CategoricalHyperparameter(name, [0, 1]) for name in "abc")
    found.add(a, b, c)
    found.add(package.OrConjunction(package.EqualsCondition(c, a, 1), package.EqualsCondition(c, b, 1)))
    space = Space.from_configspace(found)
    drawn = space.sample(np.random.default_rng(0), 50)
    for architecture in drawn:
        built = space.build(architecture)
        assert ("c" in built) == bool(built["a"] or built["b"])


@pytest.mark.parametrize("parameter", [("rate", (0.0, 1.0)), ("width", (1, 1000))])
def test_what_cannot_be_listed_is_refused(parameter):
    name, bounds = parameter
    with pytest.raises(UsageError, match=f"Expected '{name}' to have at most 64 values, got .* List the values"):
        Space.from_configspace(package.ConfigurationSpace({name: bounds}))


def test_another_object_is_refused():
    with pytest.raises(UsageError, match=r"Expected a ConfigSpace.ConfigurationSpace, got dict"):
        Space.from_configspace({"a": [1, 2]})
