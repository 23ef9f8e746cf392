from __future__ import annotations

import inspect
import math
import os
import re
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from typer.testing import CliRunner

from optiproxy.baselines import RandomSearch, RegularizedEvolution
from optiproxy.cli.main import app
from optiproxy.errors import SearchFailed, StudyError, UsageError
from optiproxy.metrics import Goal, Limit, Metric, Objective
from optiproxy.searching.load import load
from optiproxy.searching.run import run
from optiproxy.searching.search import search
from optiproxy.searching.settings import SearchSettings
from optiproxy.spaces import FlatSpace, NASBench201
from optiproxy.task.task import Source, Task

CHOICES = {"depth": [1, 2, 3], "kernel": [3, 5], "pool": ["max", "avg"]}


def _accuracy(values):
    return values["depth"] + values["kernel"] + (values["pool"] == "max")


def _find(evaluate=_accuracy, space=None, **arguments):
    return search(space or CHOICES, evaluate, **{"budget": 12, "algorithm": "random", **arguments})


def test_finds_the_best_of_a_small_space():
    result = _find()
    assert result.best_architecture == {"depth": 3, "kernel": 5, "pool": "max"}
    assert result.best.metrics == {"accuracy": 9.0}
    assert [record.number for record in result.records] == list(range(12))
    assert result.stopped == "budget"


def test_a_space_smaller_than_the_budget_ends_early():
    result = _find(budget=50)
    assert (len(result.records), result.stopped) == (12, "exhausted")
    assert len({record.architecture for record in result.records}) == 12


@pytest.mark.parametrize("choices", [{"only": [1]}, {"a": [1], "b": ["x"]}, {"a": [1, 2], "b": ["x"]}])
@pytest.mark.parametrize("algorithm", ["random", "regularized-evolution"])
def test_decisions_with_one_choice_are_no_special_case(choices, algorithm):
    result = search(choices, lambda _: 1.0, budget=5, algorithm=algorithm)
    assert len(result.records) == math.prod(map(len, choices.values()))


def test_every_kind_of_failure_is_a_query_and_the_search_goes_on():
    def evaluate(values):
        match values["kind"]:
            case 0:
                raise ValueError("no memory")
            case 1:
                return math.nan
            case 2:
                return "0.9"
            case 3:
                return {"loss": 1.0}
            case 4:
                return None
            case 5:
                sys.exit("bye")
            case _:
                return 0.5

    result = search({"kind": [*range(8)]}, evaluate, budget=8, algorithm="random")
    told = {result.space.values(r.architecture)["kind"]: (r.state, r.reason, dict(r.metrics)) for r in result.records}
    assert told == {
        0: ("failed", "ValueError: no memory (kind=0)", {}),
        1: ("failed", "The objective 'accuracy' is nan.", {}),
        2: ("failed", "Expected a number for 'accuracy', got str '0.9'.", {}),
        3: ("failed", "The objective 'accuracy' is missing among ['loss'].", {}),
        4: ("failed", "Expected a number for 'accuracy', got NoneType None.", {}),
        5: ("failed", "SystemExit: bye (kind=5)", {}),
        6: ("complete", "", {"accuracy": 0.5}),
        7: ("complete", "", {"accuracy": 0.5}),
    }


@pytest.mark.slow
def test_in_workers_a_crash_a_hang_and_a_strange_error_cost_one_query_each():
    class Strange(Exception):
        pass

    def evaluate(values):
        match values["kind"]:
            case 0:
                os._exit(5)
            case 1:
                os.kill(os.getpid(), signal.SIGKILL)
            case 2:
                time.sleep(1000)
            case 3:
                raise Strange("odd")
            case _:
                return {"accuracy": 0.5, "process": float(os.getpid())}
        return None

    result = search({"kind": [*range(6)]}, evaluate, budget=6, algorithm="random", workers=2, timeout=2.0)
    reasons = {result.space.values(r.architecture)["kind"]: r.reason for r in result.records}
    assert reasons == {
        0: "The worker process ended with code 5.",
        1: "The worker process was killed by SIGKILL.",
        2: "Stopped at the timeout of 2 s.",
        3: "Strange: odd (kind=3)",
        4: "",
        5: "",
    }
    assert all(record.metrics["process"] != os.getpid() for record in result.records if not record.reason)
    assert len({record.architecture for record in result.records}) == 6


def test_one_worker_and_no_timeout_stays_in_this_process():
    seen = []
    _find(lambda values: seen.append(os.getpid()) or _accuracy(values), budget=3)
    assert seen == [os.getpid()] * 3


@pytest.mark.slow
def test_limits_decide_what_is_best(tmp_path):
    def evaluate(values):
        metrics = {"accuracy": _accuracy(values), "latency_ms": values["depth"] * values["kernel"]}
        return metrics if values["pool"] == "max" else {"accuracy": 100.0}

    url = f"sqlite:///{tmp_path}/s.db"
    result = _find(evaluate, limits=["latency_ms<=6"], storage=url)
    assert result.best_architecture == {"depth": 1, "kernel": 5, "pool": "max"}
    again = load(url)
    assert again.records == result.records
    assert again.best == result.best


@pytest.mark.slow
def test_constraints_are_stored_as_optuna_knows_them(tmp_path):
    import optuna

    url = f"sqlite:///{tmp_path}/s.db"
    _find(
        lambda v: {"accuracy": 1.0} | ({"latency": 3.0} if v["kernel"] == 3 else {}),
        limits=["latency<=2.5"],
        storage=url,
    )
    (study,) = optuna.get_all_study_names(url)
    for trial in optuna.load_study(study_name=study, storage=url).trials:
        assert trial.constraints == {"latency<=2.5": 0.5 if trial.params["kernel"] == 3 else math.inf}


def test_several_objectives_give_a_front():
    result = _find(
        lambda v: {"accuracy": v["depth"], "latency": v["depth"] * v["kernel"]}, objectives=["accuracy", "latency:min"]
    )
    assert [
        (r.metrics["accuracy"], r.metrics["latency"]) for r in sorted(result.front, key=lambda r: r.metrics["accuracy"])
    ] == [
        (1.0, 3.0),
        (2.0, 6.0),
        (3.0, 9.0),
    ]


def test_isomorphic_cells_are_queried_once():
    space = NASBench201()
    result = search(space, lambda _: 1.0, budget=100, algorithm="random")
    assert len({space.canonical(record.architecture) for record in result.records}) == 100


def test_a_foreign_executor_runs_the_evaluations_and_stays_open():
    class Threads(_Table):
        isolated = True

    with ThreadPoolExecutor(3) as executor:
        result = run(Threads(), SearchSettings(algorithm="random", budget=9, workers=3), executor=executor)
        assert executor.submit(int, "1").result() == 1
    assert len({record.architecture for record in result.records}) == 9


class _Table(Task):
    name = "table"
    space = FlatSpace({"a": [*range(5)], "b": [*range(5)]})
    metrics = (
        Metric(name="accuracy", direction="max"),
        Metric(name="test", direction="max", reported_only=True),
        Metric(name="parameters", direction="min", free=True),
    )
    goal = Goal((Objective("accuracy"),))
    source = Source("table", "made up")
    isolated = False
    asked: list[tuple[int, ...]]

    def __init__(self):
        self.asked = []

    def evaluate(self, architecture, *, seed=0, fidelity=None):
        self.asked.append(architecture)
        a, b = architecture
        return {"accuracy": a * b + 0.1 * seed, "test": 1.0, "parameters": 1000.0}

    def free_metrics(self, architecture):
        if architecture == (4, 4):
            raise RuntimeError("cannot be built")
        return {"parameters": float(sum(architecture))}


@pytest.mark.parametrize("algorithm", ["random", "regularized-evolution"])
def test_what_breaks_a_free_limit_is_never_evaluated(algorithm):
    task = _Table()
    goal = Goal(task.goal.objectives, (Limit("parameters", 3.0),))
    result = run(task, SearchSettings(algorithm=algorithm, budget=50), goal=goal)
    assert sorted(task.asked) == sorted((a, b) for a in range(5) for b in range(5) if a + b <= 3)
    assert result.stopped == "exhausted"
    # What admitted an architecture is what is recorded, though the evaluation measures it anew.
    assert all(record.metrics["parameters"] == sum(record.architecture) for record in result.records)
    assert result.best is not None


def test_limits_that_nothing_keeps_are_said_plainly():
    goal = Goal((Objective("accuracy"),), (Limit("parameters", -1.0),))
    with pytest.raises(
        SearchFailed,
        match=r"that keeps parameters<=-1 among 24 that were measured; the smallest has 0\. Loosen",
    ):
        run(_Table(), SearchSettings(algorithm="random", budget=5), goal=goal)


def test_the_seed_reaches_the_training():
    assert run(_Table(), SearchSettings(algorithm="random", budget=25, seed=3)).best.metrics["accuracy"] == 16.3


def test_tables_are_looked_up_here_whatever_the_workers():
    task = _Table()
    assert len(run(task, SearchSettings(algorithm="random", budget=7, workers=4)).records) == len(task.asked) == 7


@pytest.mark.parametrize("arguments", [{}, {"limits": ["parameters<=3"], "free": ["parameters"]}])
def test_a_task_is_searched_like_a_function(arguments):
    task = _Table()
    result = search(task, budget=50, algorithm="random", **arguments)
    most = 3 if arguments else 8
    assert sorted(task.asked) == sorted((a, b) for a in range(5) for b in range(5) if a + b <= most)
    assert (result.task, result.goal.objectives) == ("table", task.goal.objectives)


def test_what_a_task_is_searched_for_may_be_changed():
    result = search(_Table(), budget=25, algorithm="random", objectives=["parameters"])
    assert result.best.architecture == (0, 0)


@pytest.mark.parametrize(
    ("call", "told"),
    [
        (lambda: search(_Table(), _accuracy, budget=1), "Task 'table' evaluates its architectures itself"),
        (lambda: search(_Table(), budget=1, free={"parameters": len}), "list the names"),
        (lambda: search(_Table(), budget=1, free=["accuracy"]), "known only after training"),
        (lambda: search(_Table(), budget=1, fidelity=5), "one fidelity only, got 5"),
        (lambda: search(CHOICES, budget=1), "Expected a training function beside the space"),
        (lambda: search(CHOICES, _accuracy, budget=1, free=["depth"]), "with the functions that measure them"),
        (
            lambda: search(CHOICES, _accuracy, budget=1, timeout=3.0, executor=ThreadPoolExecutor(1)),
            "Set it in the executor instead",
        ),
    ],
)
def test_what_a_task_and_a_function_do_not_share_is_named(call, told):
    with pytest.raises(UsageError, match=told):
        call()


@pytest.mark.slow
def test_an_algorithm_is_a_name_a_factory_or_where_to_import_it(tmp_path):
    url = f"sqlite:///{tmp_path}/s.db"
    asked = [
        [record.architecture for record in _find(algorithm=algorithm, storage=url, study=str(number)).records]
        for number, algorithm in enumerate(["random", RandomSearch, "optiproxy.baselines:RandomSearch"])
    ]
    assert asked[0] == asked[1] == asked[2]
    # The same factory resumes its study, another one does not.
    assert len(_find(algorithm=RandomSearch, storage=url, study="1", budget=3).records) == 12
    with pytest.raises(StudyError, match="was made for algorithm"):
        _find(algorithm=RegularizedEvolution, storage=url, study="1")


def test_any_executor_runs_a_function():
    names = set()

    def evaluate(values):
        names.add(threading.current_thread().name)
        return _accuracy(values)

    with ThreadPoolExecutor(2, thread_name_prefix="elsewhere") as executor:
        result = _find(evaluate, workers=2, executor=executor)
    assert len(result.records) == 12
    assert all(name.startswith("elsewhere") for name in names)


def test_from_the_loop_to_the_algorithm_it_is_five_calls():
    calls = []

    class Watched(RandomSearch):
        def propose(self, n, pending=()):
            names = [frame.function for frame in inspect.stack(0)]
            calls.append(names.index("spend"))
            return super().propose(n, pending)

    _find(algorithm=Watched, budget=3)
    assert calls == [5, 5, 5]


def test_searching_in_another_thread_works():
    found = []
    thread = threading.Thread(target=lambda: found.append(_find()))
    thread.start()
    thread.join()
    assert len(found[0].records) == 12


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"budget": 0}, "from 1 to .* as budget, got 0"),
        ({"seed": -1}, "from 0 to .* as seed, got -1"),
        ({"workers": 0}, "from 1 to .* as workers, got 0"),
        ({"timeout": 0}, "more than 0 seconds, got 0"),
        ({"timeout": math.nan}, "more than 0 seconds, got nan"),
        ({"algorithm": "rndom"}, "Did you mean 'random'"),
        ({"limits": ["latency<2"]}, "Expected a limit like"),
        ({"objectives": []}, "at least one objective"),
        ({"objectives": ["accuracy:up"]}, "Expected an objective like"),
        ({"space": {}}, "at least one decision"),
        ({"space": {"a": []}}, "at least one choice"),
        ({"storage": "nosuch://x"}, "Expected a storage like"),
    ],
)
def test_bad_arguments_are_named(arguments, message):
    space = arguments.pop("space", CHOICES)
    with pytest.raises(UsageError, match=message):
        search(space, _accuracy, **{"budget": 3, "algorithm": "random", **arguments})


def test_a_task_that_trains_nothing_says_that_workers_are_of_no_use(capsys, tmp_path):
    said = "trains nothing: it answers in this process, one query at a time, whatever is said of workers, timeout and memory."
    for settings in ({"workers": 4}, {"timeout": 3.0}, {"memory": "1GB"}):
        search(_Table(), budget=1, algorithm="random", **settings)
        assert f"table {said}" in " ".join(capsys.readouterr().err.split())
    search(_Table(), budget=1, algorithm="random")
    assert said not in " ".join(capsys.readouterr().err.split())
    command = ["search", "digits-table", "--algorithm", "random", "--budget", "1", "--out", str(tmp_path / "out")]
    assert f"digits-table {said}" in CliRunner().invoke(app, [*command, "--workers", "2"]).stderr


def test_metrics_that_a_task_does_not_declare_are_named():
    with pytest.raises(UsageError, match=r"Unknown metric 'acuracy'. Did you mean 'accuracy'"):
        run(_Table(), SearchSettings(algorithm="random", budget=1), goal=Goal((Objective("acuracy"),)))
    with pytest.raises(UsageError, match="reported, never searched on"):
        run(_Table(), SearchSettings(algorithm="random", budget=1), goal=Goal((Objective("test"),)))


UNGUARDED = """
import optiproxy
optiproxy.search({"a": [1, 2]}, lambda v: v["a"], budget=2, algorithm="random", workers=2)
"""


@pytest.mark.slow
def test_a_script_without_a_guard_is_told_what_to_do(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(UNGUARDED)
    done = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, timeout=100, check=False)
    assert done.returncode != 0
    assert "if __name__ == '__main__':" in done.stderr


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (lambda: None, "the training function comes second"),
        ("digits-table", "optiproxy.registry.task('digits-table')"),
        (Task, "Make the task first: Task()"),
        (7, "got int 7"),
    ],
    ids=["function", "name", "class", "number"],
)
def test_what_is_no_space_is_refused_with_what_to_do(given, told):
    with pytest.raises(UsageError, match=re.escape(told)):
        search(given, lambda _: 1.0, budget=1)


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (4, "Expected an executor, or a class or function without required arguments that makes one, got int 4"),
        ("das", r"Unknown executor 'das'. Did you mean 'dask'\?"),
        (lambda: 4, "to make an executor, got int from it"),
    ],
    ids=["number", "text", "function"],
)
def test_what_is_no_executor_is_refused_before_anything_runs(given, told):
    with pytest.raises(UsageError, match=told):
        search({"a": [1, 2]}, lambda _: 1.0, budget=1, executor=given)


def test_a_class_of_executors_makes_one_that_is_shut_down():
    made = []

    class Threads(ThreadPoolExecutor):
        def __init__(self):
            super().__init__(1)
            made.append(self)

    result = search({"a": [1, 2]}, lambda _: 1.0, budget=2, algorithm="random", executor=Threads)
    assert len(result.records) == 2
    (threads,) = made
    with pytest.raises(RuntimeError, match="after shutdown"):
        threads.submit(int)


def test_an_executor_that_has_been_shut_down_is_told_plainly():
    pool = ThreadPoolExecutor(1)
    pool.shutdown()
    with pytest.raises(UsageError, match="takes no evaluation"):
        search({"a": [1, 2]}, lambda _: 1.0, budget=1, algorithm="random", executor=pool)


def test_a_task_says_what_it_lacks():
    class Bare(Task):
        name = "bare"
        space = FlatSpace({"a": [1, 2]})

        def evaluate(self, architecture, *, seed=0, fidelity=None):
            return {}

    with pytest.raises(UsageError, match="Expected Bare to set metrics, goal, source"):
        search(Bare(), budget=1)
