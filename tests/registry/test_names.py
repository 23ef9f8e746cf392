from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest

from optiproxy import registry
from optiproxy.baselines import RandomSearch, RegularizedEvolution
from optiproxy.errors import UsageError
from optiproxy.metrics import Goal, Objective
from optiproxy.spaces import FlatSpace
from optiproxy.task.task import Task


def test_names_are_unique_and_described():
    for entries in (registry.algorithms(), registry.tasks()):
        assert len({entry.name for entry in entries}) == len(entries)
        assert all(entry.description and "\n" not in entry.description for entry in entries)


@pytest.mark.slow
@pytest.mark.parametrize("entry", registry.algorithms(), ids=lambda entry: entry.name)
def test_every_algorithm_can_be_built_and_asked(entry):
    if problem := registry.missing_package(entry.name):
        pytest.skip(problem)
    algorithm = registry.algorithm(entry.name)(FlatSpace({"a": [1, 2]}), Goal((Objective("accuracy"),)), seed=0)
    assert len(algorithm.propose(1)) == 1


def test_unknown_names_come_with_the_nearest():
    with pytest.raises(UsageError, match=r"Unknown algorithm 'optiproxi'. Did you mean 'optiproxy'"):
        registry.algorithm("optiproxi")
    with pytest.raises(UsageError, match=r"Unknown task 'digit'. Did you mean 'digits'"):
        registry.task("digit")
    with pytest.raises(UsageError, match=r"Unknown space 'nasbench20'. Did you mean 'nasbench201'\?.* MODULE:NAME"):
        registry.space("nasbench20")


def test_a_task_is_built_under_its_own_name():
    assert registry.task("digits").name == "digits"
    with pytest.raises(UsageError, match="one source only"):
        registry.task("digits", source="elsewhere")


def test_listing_loads_nothing_heavy():
    code = (
        "import sys; from optiproxy import registry; registry.tasks(); registry.algorithms(); "
        "print(sorted({'torch', 'optuna', 'sklearn', 'numpy'} & set(sys.modules)))"
    )
    assert subprocess.check_output([sys.executable, "-c", code], text=True) == "[]\n"


TASKS = """
import functools
from optiproxy import FlatSpace, Goal, Metric, Objective, Task
from optiproxy.task import Source


class Own(Task):
    name = "own"
    space = FlatSpace({"a": [1, 2]})
    metrics = (Metric(name="accuracy", direction="max"),)
    goal = Goal((Objective("accuracy"),))
    source = Source("formula", "made up")

    def __init__(self, name="own"):
        self.name = name

    def evaluate(self, architecture, *, seed=0, fidelity=None):
        return {"accuracy": 1.0}


instance = Own("instance")
partial = functools.partial(Own, "partial")


def function():
    return Own("function")


def demanding(width):
    return Own()


def failing():
    raise RuntimeError("no luck")


def nothing():
    pass


number = 7
"""


def test_a_task_is_an_instance_a_class_or_a_function_that_returns_one(module):
    name = module(TASKS)
    made = [registry.task(f"{name}:{what}").name for what in ("instance", "Own", "function", "partial")]
    assert made == ["instance", "own", "function", "partial"]
    assert registry.task_name(f"./{name}.py:Own") == f"{name}:Own"
    assert registry.task_name("digits") == "digits"


def test_a_stored_search_imports_no_module_that_it_names(module):
    name = module(TASKS)
    own = registry.task(f"{name}:Own")
    del sys.modules[name]
    assert registry.known_task(f"{name}:Own", own.space.fingerprint) is None
    assert name not in sys.modules
    digits = registry.task("digits")
    assert registry.known_task("digits", digits.space.fingerprint).name == "digits"
    assert registry.known_task("digits", own.space.fingerprint) is None
    assert registry.known_task("function", own.space.fingerprint) is None


@pytest.mark.parametrize(
    ("what", "told"),
    [
        ("number", "Expected a task, or a class or function without required arguments that makes one, got int"),
        ("demanding", "without required arguments that makes one, got function"),
        ("failing", r"failed: RuntimeError: no luck \(own_module_\d+.py, line \d+\)"),
        ("nothing", "to make a task, got NoneType"),
    ],
)
def test_what_is_no_task_is_told(module, what, told):
    with pytest.raises(UsageError, match=told):
        registry.task(f"{module(TASKS)}:{what}")


def test_a_source_is_for_tasks_that_have_several(module):
    for what in ("instance", "Own"):
        with pytest.raises(UsageError, match="one source only"):
            registry.task(f"{module(TASKS)}:{what}", source="elsewhere")


ALGORITHMS = """
from functools import partial
from optiproxy.baselines import RandomSearch, RegularizedEvolution

evolution = partial(RegularizedEvolution, population=5)


def random(space, goal, *, seed):
    return RandomSearch(space, goal, seed=seed)


def asks_too_much(space, goal, seed, width):
    return None
"""


def test_an_algorithm_is_whatever_makes_one(module):
    name = module(ALGORITHMS)
    goal = Goal((Objective("accuracy"),))
    for what in ("evolution", "random", "RandomSearch"):
        algorithm = registry.algorithm(f"{name}:{what}")(FlatSpace({"a": [1, 2]}), goal, seed=0)
        assert len(algorithm.propose(1)) == 1
    assert registry.algorithm(RandomSearch) is RandomSearch
    assert registry.missing_package(f"{name}:random") == ""


@pytest.mark.parametrize(
    "spec", [7, print, "math:pi", "os.path:join", RandomSearch(FlatSpace({"a": [1]}), None, seed=0)]
)
def test_what_makes_no_algorithm_is_told(spec, folder):
    with pytest.raises(
        UsageError, match=r"Expected an algorithm, something that is called as \(space, goal, seed=...\)"
    ):
        registry.algorithm(spec)


def test_an_algorithm_of_ones_own_that_asks_too_much_is_told_before_a_comparison_begins(module):
    with pytest.raises(UsageError, match="Expected an algorithm"):
        registry.missing_package(f"{module(ALGORITHMS)}:asks_too_much")


def test_algorithms_have_the_same_name_in_every_process(module):
    name = module(ALGORITHMS)
    assert registry.algorithm_name("bananas") == "bananas"
    assert registry.algorithm_name(f"./{name}.py:random") == f"{name}:random"
    assert registry.algorithm_name(registry.algorithm(f"{name}:random")) == f"{name}:random"
    # Ours go by their short name, and what is bound makes another algorithm.
    assert registry.algorithm_name(RandomSearch) == "random"
    assert registry.algorithm_name(registry.algorithm(f"{name}:evolution")) == "regularized-evolution(population=5)"
    bound = partial(RegularizedEvolution, sample=object())
    assert registry.algorithm_name(bound) == "regularized-evolution(sample=<object object>)"


SPACES = """
from torch import nn
from optiproxy import FlatSpace
from optiproxy.nn import Choice
from optiproxy.training.tasks.digits import DigitsTask

choices = {"width": [1, 2], "depth": [1, 2, 3]}
instance = FlatSpace(choices, name="instance")


class Own(FlatSpace):
    def __init__(self):
        super().__init__(choices, name="class")


def model():
    return nn.Sequential(Choice({"narrow": lambda: nn.Linear(4, 2), "wide": lambda: nn.Linear(4, 8)}, name="width"))


def task():
    return DigitsTask()


def broken():
    raise RuntimeError("no luck")


number = 7
"""


def test_a_space_is_an_instance_a_class_choices_or_a_model(module):
    name = module(SPACES)
    found = {what: registry.space(f"{name}:{what}") for what in ("choices", "instance", "Own", "model")}
    assert {what: space.name for what, space in found.items()} == {
        "choices": "flat",
        "instance": "instance",
        "Own": "class",
        "model": "model",
    }
    assert {what: registry.space_or_task(f"{name}:{what}").size for what in found} == {
        "choices": 6,
        "instance": 6,
        "Own": 6,
        "model": 2,
    }
    with pytest.raises(
        UsageError, match="Expected a space, a mapping of choices or a function that builds a network, got int"
    ):
        registry.space(f"{name}:number")


def test_a_profile_looks_at_spaces_and_tasks(module):
    name = module(SPACES)
    for subject in ("digits", f"{name}:task", f"{name}:DigitsTask"):
        assert isinstance(registry.space_or_task(subject), Task)
    assert registry.space_or_task("nasbench201").size == 15_625
    for wrong, told in {
        f"{name}:broken": "no luck",
        f"{name}:number": "got int",
        "digts": "Unknown task or space 'digts'. Did you mean 'digits'",
    }.items():
        with pytest.raises(UsageError, match=told):
            registry.space_or_task(wrong)


def test_an_executor_is_an_instance_or_what_makes_one(module):
    name = module(
        "from concurrent.futures import ThreadPoolExecutor\nopen = ThreadPoolExecutor(1)\ndef make():\n    return ThreadPoolExecutor(1)"
    )
    for spec in (
        f"{name}:open",
        f"{name}:make",
        f"{name}:ThreadPoolExecutor",
        ThreadPoolExecutor,
        ThreadPoolExecutor(1),
    ):
        with registry.executor(spec) as executor:
            assert executor.submit(int, "3").result() == 3
    for wrong in (f"{name}:__name__", "threads", 7, dict):
        with pytest.raises(UsageError, match="an executor"):
            registry.executor(wrong)
