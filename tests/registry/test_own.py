from __future__ import annotations

import pickle

from hypothesis import given
from hypothesis import strategies as st

from optiproxy import registry
from optiproxy.metrics import Goal, Limit, Objective
from optiproxy.registry.own import OwnTask, arguments, parts

identifier = st.from_regex(r"[a-z_][a-z0-9_]{0,8}", fullmatch=True)
target = st.builds("{}:{}".format, identifier, identifier)

OWN = """
from torch import nn
from optiproxy.nn import Value

choices = {"depth": [1, 2, 3]}
more = [16, 32, 64]

def model():
    return nn.Linear(3, Value([4, 8], name="width"), bias=False)

def train(built):
    return 1.0

def measure(built):
    return 5.0
"""


@given(target, target)
def test_a_name_says_both_parts(space, evaluate):
    name = OwnTask(space=space, evaluate=evaluate).name
    assert parts(name) == (evaluate, space)
    assert arguments(name) == (space, "--evaluate", evaluate)
    # No registered name can be taken for it, nor the other way round.
    assert registry.known_task(name, "") is None


def test_a_path_and_a_module_are_one_name():
    by_path, by_module = (
        OwnTask(space=f"{m}:space", evaluate=f"{m}:fit").name for m in ("deep/train.py", "deep.train")
    )
    assert by_path == by_module == "deep.train:fit on space"
    assert OwnTask(space="nasbench201", evaluate="train:fit").name == "train:fit on nasbench201"
    table = OwnTask(space={"a": [1, 2]}, evaluate="train:fit").name
    assert table == "train:fit on its choices"
    assert arguments(table) == ()
    assert (parts("digits"), arguments("digits")) == (("digits",), ("digits",))


def test_a_task_is_made_of_a_model_a_training_and_measures(module):
    name = module(OWN)
    own = OwnTask(
        space=f"{name}:model",
        evaluate=f"{name}:train",
        objectives=("score", "params:min"),
        limits=("params<=20",),
        free=("params", f"own={name}:measure"),
    )
    task = pickle.loads(pickle.dumps(own)).task()
    assert task.name == own.name
    assert task.goal == Goal((Objective("score"), Objective("params", "min")), (Limit("params", 20.0),))
    assert [task.free_metrics(one) for one in [(0,), (1,)]] == [{"params": 12, "own": 5}, {"params": 24, "own": 5}]
    assert task.evaluate((0,)) == {"score": 1.0, "params": 12.0, "own": 5.0}
    assert task.isolated


def test_a_table_may_name_its_lists(module):
    name = module(OWN)
    task = registry.task(OwnTask(space={"width": f"{name}:more", "depth": [1, 2]}, evaluate=f"{name}:train"))
    assert task.space.size == 6
    assert task.goal == Goal((Objective("accuracy"),))
