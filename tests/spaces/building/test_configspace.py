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


def test_every_kind_of_parameter_is_taken_over_as_what_it_is():
    found = package.ConfigurationSpace(seed=0)
    found.add(
        package.UniformFloatHyperparameter("rate", 1e-4, 1e-1, log=True),
        package.UniformFloatHyperparameter("momentum", 0.1, 0.9),
        package.UniformIntegerHyperparameter("width", 16, 1024, log=True),
        package.UniformIntegerHyperparameter("depth", 1, 4),
        package.OrdinalHyperparameter("size", ["s", "m", "l"]),
        package.CategoricalHyperparameter("kernel", [3, 5, 7]),
        package.Constant("stem", "conv"),
        package.NormalFloatHyperparameter("bias", 0, 1, lower=-2, upper=2),
        package.BetaIntegerHyperparameter("steps", 2, 3, lower=1, upper=100),
    )
    space = Space.from_configspace(found)
    assert {d.name: str(d.scale or list(d.choices)) for d in space.decisions} == {
        "rate": "Float(0.0001, 0.1, log=True)",
        "momentum": "Float(0.1, 0.9)",
        "width": "Int(16, 1024, log=True)",
        "depth": "Int(1, 4)",
        "size": "Ordered(['s', 'm', 'l'])",
        "kernel": "[3, 5, 7]",  # a category is one, in ConfigSpace's words
        "stem": "['conv']",
        "bias": "Float(-2.0, 2.0)",
        "steps": "Int(1, 100)",
    }
    # ConfigSpace itself accepts what is drawn.
    for architecture in space.sample(np.random.default_rng(0), 50):
        package.Configuration(found, values=space.build(architecture))


def test_what_has_no_weight_is_never_proposed():
    kind = package.CategoricalHyperparameter("kind", ["a", "b", "c"], weights=[0.5, 0, 2])
    space = Space.from_configspace(package.ConfigurationSpace(space=[kind]))
    assert space.decisions[0].choices == ("a", "c")
    assert {space.build(a)["kind"] for a in space.sample(np.random.default_rng(0), 100)} == {"a", "c"}


def test_choices_may_be_tuples_and_numpys_scalars():
    found = package.ConfigurationSpace(seed=0)
    kernel = package.CategoricalHyperparameter("kernel", [(3, 3), (5, 5)])
    width = package.CategoricalHyperparameter("width", list(np.array([16, 8])))
    found.add(kernel, width, package.OrdinalHyperparameter("size", [(1,), (2,), (3,)]))
    found.add(package.ForbiddenEqualsClause(width, 8))
    space = Space.from_configspace(found)
    assert space.values((0, 0, 0)) == {"kernel": "(3, 3)", "size": "(1,)", "width": 16}
    assert space.build((1, 2, 0)) == {"kernel": (5, 5), "size": (3,), "width": 16}
    assert not space.is_valid((0, 0, 1))
    assert {type(decision.choices[0]) for decision in space.decisions} == {str, int}


def test_conditions_and_forbidden_clauses_may_speak_of_ranges():
    found = package.ConfigurationSpace(seed=0)
    depth = package.UniformIntegerHyperparameter("depth", 1, 5)
    width = package.UniformIntegerHyperparameter("width", 1, 1000, default_value=1)
    rate = package.UniformFloatHyperparameter("rate", 0.0, 1.0)
    found.add(depth, width, rate)
    found.add(package.GreaterThanCondition(rate, depth, 3))
    found.add(package.ForbiddenLessThanRelation(depth, width))
    space = Space.from_configspace(found)
    drawn = [space.build(architecture) for architecture in space.sample(np.random.default_rng(0), 20)]
    assert len(drawn) == 20
    for built in drawn:
        assert ("rate" in built) == (built["depth"] > 3)
        assert built["depth"] >= built["width"]


def test_a_condition_on_a_number_with_many_values_is_refused():
    found = package.ConfigurationSpace(seed=0)
    rate = package.UniformFloatHyperparameter("rate", 0.0, 1.0)
    extra = package.CategoricalHyperparameter("extra", ["x", "y"])
    found.add(rate, extra)
    found.add(package.GreaterThanCondition(extra, rate, 0.5))
    with pytest.raises(UsageError, match="depends on the number 'rate'"):
        Space.from_configspace(found)


def test_another_object_is_refused():
    with pytest.raises(UsageError, match=r"Expected a ConfigSpace.ConfigurationSpace, got dict"):
        Space.from_configspace({"a": [1, 2]})
