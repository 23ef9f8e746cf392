"""The algorithms behind a pipe: the way there with a package of our own, and each package where it is installed."""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from optiproxy.baselines.packages import remote
from optiproxy.baselines.packages.environments import ENVIRONMENTS
from optiproxy.baselines.packages.remote import Parameter, RemotePackage, Served
from optiproxy.errors import PackageError
from optiproxy.metrics import Goal, Limit, Objective
from optiproxy.optimizer import Trial
from optiproxy.spaces import Decision, FlatSpace, Float, Int, Ordered
from optiproxy.testing import AlgorithmConformance

PACKAGES = {name: package for name, package in vars(remote).items() if isinstance(package, RemotePackage)}
SPACE = FlatSpace({f"d{d}": ["a", "b", "c", "d"] for d in range(6)})
LIMITED = Goal((Objective("score"),), (Limit("cost", 4.0),))


@pytest.mark.slow
class TestThroughAPipe(AlgorithmConformance):
    @pytest.fixture
    def algorithm(self, random_search):
        return Served(Path(sys.executable), random_search)


def test_a_question_holds_all_that_a_package_may_need(script, tmp_path):
    log = tmp_path / "question.json"
    source = f"""
import json

def suggest(question):
    with open({str(log)!r}, "w") as file:
        json.dump(vars(question), file)
    yield [3, 0]
"""
    space = FlatSpace({"a": ["w", "x", "y", "z"], "fixed": ["only"], "b": ["u", "v", "w"]})
    goal = Goal((Objective("score"),), (Limit("cost", 4.0), Limit("speed", 2.0, ">=")))
    algorithm = Served(Path(sys.executable), script(source))(space, goal, seed=5)
    algorithm.observe(
        [
            Trial((0, 0, 1), {"score": 1.0, "cost": 2.0, "speed": 2.0}),
            Trial((1, 0, 1), {"score": 3.0, "cost": 4.0, "speed": 3.0}),
            Trial((2, 0, 1), {"score": 9.0, "cost": 8.0, "speed": 3.0}),
            Trial((3, 0, 1), {"score": 7.0, "cost": 1.0}),
            Trial((2, 0, 2), {}),
        ]
    )
    assert [proposal.architecture for proposal in algorithm.propose(1, [(1, 0, 2)])] == [(3, 0, 0)]
    question = json.loads(log.read_text())
    step = question.pop("step")
    assert isinstance(step, int)
    assert question == {
        "counts": [4, 3],
        "levels": [None, None],
        "trials": [[0, 1], [1, 1], [2, 1], [3, 1], [2, 2]],
        "objective": [-1.0, -3.0, -9.0, -7.0, -1.0],
        # Feasible ones lie between -3 and -1; what breaks a limit by half its possible extent is that much worse.
        "loss": [-1.0, -3.0, -1.0 + 2 * 0.25, -1.0 + 2 * 0.5, 1.0],
        "violations": [[-1 / 3, 0.0], [0.0, -1 / 3], [0.5, -1 / 3], [pytest.approx(-3 / 7), 1.0], [1.0, 1.0]],
        "pending": [[1, 2]],
        "seed": 5,
    }


def test_numbers_are_told_by_their_order_and_their_places(script, tmp_path):
    log = tmp_path / "question.json"
    source = f"""
import json

def suggest(question):
    with open({str(log)!r}, "w") as file:
        json.dump(vars(question), file)
    yield [0.75000001, 2, 0.5, 1, 1]
"""
    space = FlatSpace(
        {
            "rate": Float(1e-4, 1.0, log=True),
            "depth": Int(1, 4, log=True),
            "width": Int(0, 1000, step=10),
            "flag": Ordered(["off", "on"]),
            "size": Ordered(["small", "medium", "large"]),
        }
    )
    algorithm = Served(Path(sys.executable), script(source))(space, Goal((Objective("score"),)), seed=0)
    values = {"rate": 0.01, "depth": 3, "width": 250, "flag": "on", "size": "large"}
    algorithm.observe([Trial(space.architecture(values), {"score": 1.0})])
    (proposal,) = algorithm.propose(1)
    assert space.values(proposal.architecture) == {
        "rate": 0.1,
        "depth": 3,
        "width": 500,
        "flag": "on",
        "size": "medium",
    }
    question = json.loads(log.read_text())
    assert question["counts"] == [None, 4, None, 2, 3]
    # Two choices are told as categories: their order says nothing.
    assert question["levels"] == [None, [0.0, 0.5, pytest.approx(math.log(3, 4)), 1.0], None, None, [0.0, 0.5, 1.0]]
    assert question["trials"] == [[pytest.approx(0.5), 2, 0.25, 1, 2]]


@pytest.mark.parametrize(
    "decision", [Float(1e-4, 1e-1, log=True), Int(3, 4000, log=True), Int(1, 9), Ordered(["a", "b"])]
)
def test_what_is_told_of_a_position_leads_back_to_it(decision):
    parameter = Parameter.of(Decision("x", decision))
    positions = np.linspace(0, len(decision) - 1, 500).astype(int).tolist()
    assert [parameter.position(parameter.told(position)) for position in positions] == positions
    assert all(0 <= parameter.told(position) <= len(decision) - 1 for position in positions)


@pytest.mark.parametrize(
    ("choices", "told", "expected"),
    [
        (["a", "b", "c"], 1.5, "a position below 3"),
        (["a", "b", "c"], 3, "a position below 3"),
        (Int(1, 5), -1, "a position below 5"),
        (Float(0.0, 1.0), 1.01, "a place from 0 to 1"),
        (Float(0.0, 1.0), -1, "a place from 0 to 1"),
    ],
)
def test_what_is_no_choice_is_refused(choices, told, expected):
    with pytest.raises(PackageError, match=f"Expected {expected} from the package, got {told}"):
        Parameter.of(Decision("x", choices)).position(told)


@pytest.mark.parametrize("package", PACKAGES.values(), ids=PACKAGES)
def test_a_missing_environment_is_told(package, monkeypatch, tmp_path):
    monkeypatch.setenv("OPTIPROXY_BENCH_ENV", str(tmp_path))
    with pytest.raises(PackageError, match=rf"The package {package.environment} is not in {tmp_path}.*make bench-env"):
        package(SPACE, LIMITED, seed=0)


def test_every_environment_is_of_use():
    assert {package.environment for package in PACKAGES.values()} == set(ENVIRONMENTS)


@pytest.fixture(params=PACKAGES.values(), ids=PACKAGES)
def installed(request):
    """A package that is really there; that some are not is no error."""
    if not os.environ.get("OPTIPROXY_BENCH_ENV"):
        pytest.skip(
            "needs the packages' environments: run `make bench-env` and set OPTIPROXY_BENCH_ENV to their folder"
        )
    problem = ENVIRONMENTS[request.param.environment].problem
    if problem:
        pytest.skip(problem)
    return request.param


class TestInstalled(AlgorithmConformance):
    @pytest.fixture
    def algorithm(self, installed):
        return installed


def _mean_sum(make, goal, told):
    algorithms = [make(SPACE, goal, seed=seed) for seed in range(4)]
    for algorithm in algorithms:
        algorithm.observe(told)
    return sum(sum(algorithm.propose(1)[0].architecture) for algorithm in algorithms) / 4


def test_an_installed_package_learns_which_way_is_better_and_to_keep_a_limit(installed):
    """150 random trials whose score, and whose cost, is the sum of their positions: 9 of 18 on average."""
    drawn = SPACE.sample(np.random.default_rng(0), 150)
    told = [Trial(found, {"score": float(sum(found)), "cost": float(sum(found))}) for found in drawn]
    up, down = (_mean_sum(installed, Goal((Objective("score", way),)), told) for way in ("max", "min"))
    assert up - down > 4
    assert _mean_sum(installed, LIMITED, told) < up - 2


AS_THE_PACKAGE = """
import random
import sys
from types import SimpleNamespace

sys.path.insert(0, sys.argv[1])
import syne_bore

# Without a model, with one, and with fewer architectures than candidates.
CASES = (3, 3), (3, 7), (3, 30), (2, 30)


def answers(choices, told):
    rng = random.Random(0)
    trials = [[rng.randrange(choices) for _ in range(6)] for _ in range(told)]
    question = SimpleNamespace(counts=[choices] * 6, levels=[None] * 6, trials=trials, loss=[float(sum(t)) for t in trials], step=told)
    return list(syne_bore.suggest(question))


batched = [answers(choices, told) for choices, told in CASES]
syne_bore.BatchedBore = syne_bore.Bore
assert batched == [answers(choices, told) for choices, told in CASES]
"""


@pytest.mark.slow
def test_bore_in_one_call_is_the_bore_of_the_package():
    environment = ENVIRONMENTS["syne-tune"]
    if environment.problem:
        pytest.skip(environment.problem)
    servers = Path(remote.__file__).parent / "servers"
    done = subprocess.run(
        [str(environment.python), "-c", AS_THE_PACKAGE, str(servers)], capture_output=True, text=True, check=False
    )
    assert not done.returncode, done.stderr
