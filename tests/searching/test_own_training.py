"""Around a user's own training function: mistakes are told at once, and nothing that was paid for is lost."""

from __future__ import annotations

import importlib
import logging
import os
import random
import sys
from functools import partial
from pathlib import Path

import cloudpickle
import optuna
import pytest
import torch
from torch import nn

from optiproxy import FlatSpace, Int, LeadersPruner, Space
from optiproxy.errors import SearchFailed, StudyError, UsageError
from optiproxy.nn import Value
from optiproxy.reporting.search.gallery import figures
from optiproxy.reporting.search.page import search_report
from optiproxy.searching.load import load
from optiproxy.searching.search import search
from optiproxy.task.code import code_digest, same_code

# Else each worker would import what the tests import.
cloudpickle.register_pickle_by_value(sys.modules[__name__])

CHOICES = {"depth": Int(1, 30), "act": ["relu", "gelu"]}


def find(evaluate, space=CHOICES, **arguments):
    return search(space, evaluate, **{"budget": 10, "algorithm": "random", "verbose": False, **arguments})


def deep(values):
    return float(values["depth"])


# Mistakes


def broken(values):
    import no_such_package_at_all  # noqa: F401  # pyright: ignore[reportMissingImports]

    return deep(values)


def test_a_mistake_in_the_function_ends_the_search_and_is_tried_again_once_mended(tmp_path):
    storage = str(tmp_path / "s.db")
    with pytest.raises(SearchFailed, match=r"last 3 trainings failed alike: ModuleNotFoundError.*no_such_package"):
        find(broken, storage=storage, study="s")
    kept = load(storage)
    assert [record.state for record in kept.records] == ["failed"] * 3
    assert "import no_such_package_at_all" in kept.records[0].traceback
    assert "optiproxy/task" not in kept.records[0].traceback
    mended = find(deep, storage=storage, study="s")
    assert [record.state for record in mended.records] == ["complete"] * 10
    # In their place: the same architectures, and each once.
    again = {record.architecture for record in mended.records}
    assert {record.architecture for record in kept.records} <= again
    assert len(again) == 10


def test_any_number_of_failures_may_be_allowed(tmp_path):
    result = find(broken, max_failures=None, storage=str(tmp_path / "s.db"))
    assert len(result.records) == 10
    assert not result.has_best
    with pytest.raises(SearchFailed, match=r"All 10 trainings failed.*ModuleNotFoundError"):
        _ = result.best


@pytest.mark.slow
def test_failures_that_differ_or_come_late_are_part_of_a_search():
    def fits(values):
        if values["depth"] > 3:
            raise RuntimeError(f"no memory for {values['depth']} layers")
        return deep(values)

    assert len(find(fits, budget=40, algorithm="optiproxy").records) == 40


@pytest.mark.slow
def test_failed_queries_are_tried_again_when_asked_for(tmp_path):
    broken_now = [True]

    def evaluate(values):
        if broken_now[0] and values["act"] == "relu":
            raise OSError("the disk was away")
        return deep(values)

    storage = str(tmp_path / "s.db")
    first = find(evaluate, storage=storage)
    failed = [record.architecture for record in first.records if record.state == "failed"]
    assert failed
    broken_now[0] = False
    assert find(evaluate, storage=storage).records == first.records
    again = find(evaluate, storage=storage, retry_failed=True)
    assert [record.state for record in again.records] == ["complete"] * 10
    assert {record.architecture for record in again.records} == {record.architecture for record in first.records}
    # There is nothing left to try.
    assert find(evaluate, storage=storage, retry_failed=True).records == again.records


@pytest.mark.parametrize(
    ("metrics", "arguments", "message"),
    [
        ({"acuracy": 1.0}, {}, r"'accuracy' is missing among \['acuracy'\]. Did you mean 'acuracy'"),
        ({"accuracy": 1.0, "params": 3.0}, {"limits": ["parms<=5"]}, r"no 'parms', which a limit is on.*'params'"),
        ({"accuracy": 1.0}, {"limits": ["energy<=5"]}, "no 'energy', which a limit is on"),
    ],
)
def test_a_misspelt_or_missing_metric_ends_the_search(metrics, arguments, message):
    calls = []

    def evaluate(values):
        calls.append(values)
        return metrics

    with pytest.raises(SearchFailed, match=message):
        find(evaluate, budget=30, **arguments)
    assert len(calls) <= 5


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"evaluate": 3}, "Expected a training function, got int 3"),
        ({"evaluate": deep({"depth": 1})}, "Give the function, without calling it"),
        ({"limits": ["accuracy<=1", "accuracy>=2"]}, "Nothing can keep both accuracy>=2 and accuracy<=1"),
        ({"budget": 2.5}, "Expected a whole number from 1 to .* as budget, got 2.5"),
        ({"seed": 2**64}, "Expected a whole number from 0 to .* as seed"),
        ({"patience": 0}, "from 1 to 2\\*\\*63 - 1 as patience, got 0"),
        ({"target": float("nan")}, "Expected a finite target"),
        ({"fixed": {"dpth": 1}}, "Did you mean 'depth'"),
        ({"start_with": [{"depth": 99, "act": "relu"}]}, "depth"),
        ({"earlier": [{"depth": 1, "act": "relu"}]}, "lacks 'accuracy'"),
        (
            {"space": FlatSpace(CHOICES).where(lambda v: v["depth"] < 5), "start_with": [{"depth": 7, "act": "relu"}]},
            "breaks a rule",
        ),
        ({"fixed": {"depth": 3}, "start_with": {"depth": 7, "act": "relu"}}, "what is fixed"),
        ({"start_with": [5]}, "Expected architectures to start with as mappings"),
        ({"pruner": "median"}, "Expected one of Optuna's pruners, a LeadersPruner or None, got 'median'"),
        ({"earlier": 7}, "Expected earlier results as a SearchResult, a DataFrame or a list of mappings, got int"),
    ],
)
def test_what_makes_no_sense_is_refused_before_anything_is_trained(arguments, message):
    def never(values):
        pytest.fail("nothing may be trained")

    with pytest.raises(UsageError, match=message):
        find(**{"evaluate": never, **arguments})


@pytest.mark.slow
def test_what_was_mended_wrongly_is_tried_again_in_its_place(tmp_path):
    """Each try has the number of the first, for the function, the progress and the record."""
    numbers = []

    def attempt(error):
        def evaluate(values, trial):
            numbers.append(trial.number)
            if error is not None:
                raise error
            return deep(values)

        return evaluate

    storage, seen = str(tmp_path / "s.db"), []
    for error in (ValueError("one"), KeyError("two")):
        with pytest.raises(SearchFailed):
            find(attempt(error), storage=storage, study="s", budget=5)
    numbers.clear()
    result = find(
        attempt(None),
        storage=storage,
        study="s",
        budget=5,
        callbacks=lambda search, _: seen.append(len(search.records)),
    )
    assert numbers == [record.number for record in result.records] == [count - 1 for count in seen] == [*range(5)]
    assert {record.state for record in result.records} == {"complete"}


def test_three_failures_alike_need_not_be_the_first():
    errors = [OSError("first"), *(ModuleNotFoundError("second") for _ in range(20))]

    def evaluate(values):
        raise errors.pop(0)

    with pytest.raises(SearchFailed, match="last 3 trainings failed alike: ModuleNotFoundError"):
        find(evaluate)
    assert len(errors) == 17


# What a training returns and leaves behind


def test_what_is_no_number_is_kept_beside_the_metrics(tmp_path):
    given = {
        "accuracy": 0.5,
        "checkpoint": Path("run-1.pt"),
        "note": "text",
        "curve": [1, 2],
        "none": None,
        "yes": True,
    }
    storage = str(tmp_path / "s.db")
    result = find(lambda _: given, budget=2, storage=storage)
    expected = {"checkpoint": "run-1.pt", "note": "text", "curve": [1, 2], "none": None, "yes": True}
    for found in (result, load(storage)):
        assert [record.metrics for record in found.records] == [{"accuracy": 0.5}] * 2
        assert found.records[0].attributes == expected


def test_what_a_training_prints_is_shown_and_its_end_is_kept(capsys):
    def evaluate(values):
        sys.stdout.write("begin" + "x" * 100_000)
        sys.stderr.write("the end\n")
        return deep(values)

    result = find(evaluate, budget=2)
    assert all(record.output.endswith("the end\n") and len(record.output) == 64 * 1024 for record in result.records)
    assert capsys.readouterr().out.count("begin") == 2
    assert sys.stdout is not None


def test_a_training_may_change_folder_and_seed_and_its_argument(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def evaluate(values):
        os.chdir("/")
        random.seed(0)
        torch.manual_seed(0)
        depth = values.pop("depth")
        values["more"] = 1
        return float(depth)

    result = find(evaluate, storage="s.db", algorithm="optiproxy", budget=6)
    assert Path.cwd() == tmp_path
    assert len({record.architecture for record in result.records}) == 6
    assert load("s.db").records == result.records


def model():
    return nn.Sequential(nn.Linear(4, Value([2, 3, 5], name="width")), nn.ReLU())


@pytest.mark.slow
@pytest.mark.parametrize("workers", [1, 2])
def test_the_trained_network_of_the_best_is_there(tmp_path, workers):
    def train(network, trial):
        with torch.no_grad():
            network[0].weight.fill_(trial.number + 1.0)
        trial.save(network)
        (trial.folder / "log.txt").write_text(str(trial.number))
        return float(network[0].out_features)

    storage = str(tmp_path / "s.db")
    result = find(train, Space.from_model(model), budget=3, storage=storage, workers=workers)
    for found in (result, load(storage, None)):
        assert set(found.best.files) == {"weights.pt", "log.txt"}
        assert found.best.files["log.txt"].read_text() == str(found.best.number)
    network = result.best.load()
    assert network[0].out_features == 5
    assert (network[0].weight == result.best.number + 1).all()
    # The files of the others are removed.
    assert [len(record.files) for record in result.records if record.number != result.best.number] == [0, 0]
    assert len([*(tmp_path / "s-files").rglob("*")]) == 3


def test_files_of_all_but_the_best_are_removed(tmp_path, monkeypatch):
    """Also of what failed or was pruned, and wherever a training may go; folders within the folder are kept."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "other").mkdir()

    def train(values, trial):
        os.chdir(tmp_path / "other")
        (trial.folder / "model").mkdir()
        (trial.folder / "model" / "w.bin").write_bytes(b"1")
        trial.report(values["depth"], 1)
        if trial.number % 3 == 1:
            raise RuntimeError(f"no memory for {values}")
        if trial.number % 3 == 2:
            raise optuna.TrialPruned
        return deep(values)

    kept = {"artifacts": "files", "keep": 2, "max_failures": None}
    earlier = [{"depth": 30, "act": "relu", "accuracy": 99.0}]
    result = find(train, storage="s.db", earlier=earlier, **kept)
    again = load("s.db", artifacts="files")
    assert again.best.files == result.best.files
    assert [*result.best.files] == ["model/w.bin"]
    assert len([path for path in (tmp_path / "files").rglob("*") if path.is_file()]) == 2
    assert not [*(tmp_path / "other").iterdir()]
    assert not any(record.files for record in find(train, **{**kept, "keep": 0}).records)


def test_files_are_there_without_a_storage_too():
    def train(values, trial):
        trial.save({"depth": torch.tensor(values["depth"])})
        return deep(values)

    result = find(train, keep=2)
    assert sum(bool(record.files) for record in result.records) == 2
    assert result.best.load() == {"depth": torch.tensor(int(result.best.metrics["accuracy"]))}
    with pytest.raises(UsageError, match=r"has no file 'other.pt' \(it has: weights.pt\)"):
        result.best.load("other.pt")


# Ends


def test_a_search_ends_at_its_target_with_patience_in_time_or_when_told():
    reached = find(deep, budget=60, target=28)
    assert reached.stopped == "target"
    assert reached.best.metrics["accuracy"] >= 28
    assert all(record.metrics["accuracy"] < 28 for record in reached.records[:-1])
    calm = find(lambda _: 1.0, budget=60, patience=4)
    assert (calm.stopped, len(calm.records)) == ("patience", 5)
    late = find(deep, budget=60, max_seconds=1e-9)
    assert (late.stopped, len(late.records)) == ("time", 0)
    seen = []

    def callback(running, record):
        seen.append((len(running.records), record.number, running.best.number))
        if len(running.records) == 3:
            running.stop()

    told = find(deep, budget=60, callbacks=[callback])
    assert told.stopped == "callback"
    assert [entry[:2] for entry in seen] == [(1, 0), (2, 1), (3, 2)]


@pytest.mark.slow
def test_a_search_that_a_rule_has_ended_says_so_when_loaded_and_goes_on(tmp_path):
    storage = str(tmp_path / "s.db")
    assert find(deep, budget=9, patience=1, storage=storage).stopped == "patience"
    assert load(storage).stopped == "patience"
    assert (find(deep, budget=9, storage=storage).stopped, load(storage).stopped) == ("budget", "budget")


# Progress


def test_progress_is_shown_and_logged(capsys, caplog):
    caplog.set_level(logging.INFO, logger="optiproxy")
    find(deep, budget=3, verbose=True)
    shown = capsys.readouterr().err.splitlines()
    assert shown[0] == "searching for accuracy:max: 3 queries"
    assert shown[3].startswith("3/3  #2 accuracy ")
    assert len(caplog.records) == 4
    find(deep, budget=3)
    assert not capsys.readouterr().err


def test_the_first_failure_is_shown_with_its_traceback(capsys):
    def evaluate(values):
        if values["act"] == "relu":
            raise ValueError("odd")
        return deep(values)

    find(evaluate, verbose=True)
    shown = capsys.readouterr().err
    assert shown.count("Traceback (most recent call last)") == 1
    assert 'raise ValueError("odd")' in shown


# Identity


def slower(values):
    return deep(values) - 1


@pytest.mark.slow
def test_results_of_another_function_are_not_taken_for_its_own(tmp_path):
    storage = str(tmp_path / "s.db")
    first = find(deep, storage=storage)
    assert first.study == "deep-random-seed0"
    assert find(slower, storage=storage).study == "slower-random-seed0"
    with pytest.raises(StudyError, match=r"holds 10 results, and since then the training function has changed"):
        find(slower, storage=storage, study=first.study)
    assert find(slower, storage=storage, study=first.study, accept_changes=True).records == first.records


@pytest.mark.slow
def test_a_helper_or_a_rule_that_has_changed_is_noticed(tmp_path):
    storage = str(tmp_path / "s.db")
    space = Space.from_optuna(lambda trial: trial.suggest_int("depth", 1, 30))
    find(deep, space.where(lambda values: values["depth"] > 3), storage=storage)
    find(deep, space.where(lambda values: values["depth"] > 3), storage=storage)
    with pytest.raises(StudyError, match="the rule 1 has changed"):
        find(deep, space.where(lambda values: values["depth"] > 4), storage=storage)
    with pytest.raises(StudyError, match="the rule 1 has changed"):
        find(deep, space, storage=storage)
    with pytest.raises(StudyError, match="fixed none, not depth=9"):
        find(deep, space.where(lambda values: values["depth"] > 3), storage=storage, fixed={"depth": 9})


def test_a_storage_takes_other_functions_beside_a_nameless_one(tmp_path):
    storage = str(tmp_path / "s.db")
    assert find(lambda _: 1.0, {"z": [1, 2, 3]}, storage=storage, budget=2).study == "function-random-seed0"
    assert find(deep, storage=storage, budget=2).study == "deep-random-seed0"


RATE, CALLS = 1, 0


def helped(values, *, epochs=1):
    """Trains."""
    global CALLS  # noqa: PLW0603 - that is what is tested
    CALLS += 1
    return values["depth"] * RATE * epochs


class Trainer:
    def __call__(self, values):
        return self.fit(values)

    def fit(self, values):
        return deep(values)


def test_a_digest_says_what_a_function_does_and_not_how_often_it_ran(monkeypatch):
    before, trainer = code_digest(helped), code_digest(Trainer())
    assert before == code_digest(partial(helped))
    helped({"depth": 1})
    assert code_digest(helped) == before
    monkeypatch.setattr(helped, "__doc__", "Comments.")
    monkeypatch.setitem(globals(), "RATE", 2)
    assert code_digest(helped) != before
    monkeypatch.setitem(globals(), "RATE", 1)
    monkeypatch.setattr(helped, "__kwdefaults__", {"epochs": 5})
    assert code_digest(helped) != before
    monkeypatch.setattr(Trainer, "fit", lambda self, values: 0.0)
    assert code_digest(Trainer()) != trainer


def enclosed(rate, schedule, seen, *, count=0):
    def evaluate(values):
        nonlocal count
        count += 1
        seen.append(values)
        return values["depth"] * rate * len(schedule)

    return evaluate


def test_a_digest_knows_what_a_function_encloses_and_what_is_bound_to_it():
    given = [(0.1, (1, 2)), (0.2, (1, 2)), (0.1, (1, 3)), ("0.1", (1, 2)), (None, ())]
    assert len({code_digest(enclosed(*values, [])) for values in given}) == len(given)
    evaluate = enclosed(0.1, ("a",), [])
    before = code_digest(evaluate)
    evaluate({"depth": 1})
    assert code_digest(evaluate) == before  # neither what it counts nor what it collects
    partials = [partial(helped, epochs=3), partial(helped, epochs=4), partial(helped), partial(partial(helped), 3)]
    assert len(set(map(code_digest, partials))) == 4
    assert code_digest(partial(helped, epochs=[object()])) == code_digest(partial(helped))
    assert same_code(code_digest(helped).replace("-3:", ":"), code_digest(deep))  # a study of before goes on


def test_a_study_of_an_earlier_version_goes_on(tmp_path):
    storage = str(tmp_path / "s.db")
    first = find(deep, storage=storage, study="function-random-seed0", budget=4)
    study = optuna.load_study(study_name="function-random-seed0", storage=f"sqlite:///{storage}")
    stored = {key: value for key, value in study.user_attrs["optiproxy"].items() if key != "code"}
    study.set_user_attr("optiproxy", {**stored, "task": "function"})
    more = find(deep, storage=storage, budget=6)
    assert more.study == "function-random-seed0"
    assert more.records[:4] == first.records


# What is known already


def test_it_begins_with_what_it_is_given(tmp_path):
    wanted = [{"depth": 7, "act": "gelu"}, {"depth": 30, "act": "relu"}]
    storage = str(tmp_path / "s.db")
    for budget in (1, 4):
        result = find(deep, start_with=wanted, budget=budget, storage=storage)
    told = [dict(result.space.values(record.architecture)) for record in result.records]
    assert told[:2] == wanted == [dict(record.values) for record in result.records[:2]]
    assert len({record.architecture for record in result.records}) == 4


@pytest.mark.slow
def test_what_is_fixed_stays():
    result = find(deep, fixed={"act": "gelu"}, algorithm="optiproxy")
    assert {result.space.values(record.architecture)["act"] for record in result.records} == {"gelu"}
    assert len({record.architecture for record in result.records}) == 10


@pytest.mark.slow
def test_what_is_fixed_against_a_rule_is_told():
    space = FlatSpace({"depth": [1, 2, 3], "act": ["relu", "gelu"]}).where(lambda values: values["depth"] > 2)
    with pytest.raises(
        SearchFailed, match=r"with depth=1 that keeps its rules\. Fix other values, or loosen the rules\."
    ):
        find(deep, space, fixed={"depth": 1})


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["result", "frame", "mappings"])
def test_earlier_results_are_learned_from_and_not_counted(kind, tmp_path):
    before = find(deep, budget=15, seed=1)
    rows = [{**before.space.values(r.architecture), **r.metrics, "beside": "x"} for r in before.records]
    if kind == "frame":
        earlier = pytest.importorskip("pandas").DataFrame(rows)
    else:
        earlier = {"result": before, "mappings": rows}[kind]
    storage = str(tmp_path / "s.db")
    for _ in range(2):
        result = find(deep, earlier=earlier, budget=5, storage=storage, algorithm="optiproxy")
    assert len(result.records) == 5
    assert result.records[0].predicted  # the proxy has been fitted before the first query
    assert not {record.architecture for record in result.records} & {record.architecture for record in before.records}
    (study,) = optuna.get_all_study_names(f"sqlite:///{storage}")
    assert len(optuna.load_study(study_name=study, storage=f"sqlite:///{storage}").trials) == 20


# Early stopping


@pytest.mark.slow
@pytest.mark.parametrize(
    "pruner",
    [
        LeadersPruner(),
        optuna.pruners.MedianPruner(n_startup_trials=3),
        optuna.pruners.SuccessiveHalvingPruner(reduction_factor=2),
        optuna.pruners.HyperbandPruner(max_resource=9, reduction_factor=2),
    ],
    ids=lambda pruner: type(pruner).__name__,
)
def test_trainings_that_promise_too_little_end_early(pruner, tmp_path):
    steps = []

    def evaluate(values, trial):
        for step in range(9):
            steps.append(step)
            trial.report(values["depth"] * (1 + step / 9), step)
            if trial.should_prune():
                raise optuna.TrialPruned
        return values["depth"] * 2.0

    storage = str(tmp_path / "s.db")
    result = find(evaluate, budget=25, pruner=pruner, storage=storage)
    pruned = [record for record in result.records if record.state == "pruned"]
    assert len(pruned) >= 3
    assert len(steps) < 25 * 9
    assert all(record.curve and not record.reason for record in pruned)
    assert result.best.state == "complete"
    assert load(storage).records == result.records


def test_what_breaks_a_limit_is_no_leader():
    def evaluate(values, trial):
        good = trial.number >= 6
        for step in range(10):
            trial.report((0.5 if good else 0.9) * step / 10, step)
            if trial.should_prune():
                raise optuna.TrialPruned
        return {"accuracy": 0.5 if good else 0.9, "memory": 1.0 if good else 9.0}

    assert find(evaluate, limits=["memory<=2"], budget=20).has_best


def test_a_search_that_has_pruned_can_be_looked_at():
    def evaluate(values, trial):
        trial.report(deep(values), 0)
        if trial.number % 3 == 2:
            raise optuna.TrialPruned
        return deep(values)

    result = find(evaluate, budget=15)
    assert "parallel-coordinates" in figures(result)
    assert "5 pruned" in search_report(result, folder=Path("runs"))


def test_without_a_pruner_nothing_is_pruned():
    def evaluate(values, trial):
        trial.report(0.0, 0)
        assert not trial.should_prune()
        return deep(values)

    assert {record.state for record in find(partial(evaluate), pruner=None).records} == {"complete"}


# What a first user stumbled over

MODULE = """
import os, time, optiproxy

RATE = {rate}
START = {start}

def train(values):
    if values["depth"] < 0:
        print(START)
    return values["depth"] * RATE
"""


def test_what_a_module_has_from_the_clock_may_differ_from_run_to_run(tmp_path, monkeypatch):
    """A constant of the module, or what the environment says, may not: it is part of the training."""

    def digest(rate, start):
        name = f"given{len(list(tmp_path.iterdir()))}"
        (tmp_path / f"{name}.py").write_text(MODULE.format(rate=rate, start=start))
        return code_digest(importlib.import_module(name).train)

    monkeypatch.syspath_prepend(tmp_path)
    first = digest(0.1, "time.time()")
    assert digest(0.1, "time.time()") == first
    assert digest(0.1, "time.monotonic()") != first
    assert digest(0.2, "time.time()") != first
    monkeypatch.setenv("EPOCHS", "5")
    five = digest(0.1, "int(os.environ['EPOCHS'])")
    monkeypatch.setenv("EPOCHS", "6")
    assert digest(0.1, "int(os.environ['EPOCHS'])") != five


@pytest.mark.parametrize("wrong", [lambda values: (values["depth"], 1.0), lambda values: [str(values["depth"])]])
def test_values_of_one_wrong_kind_are_failures_alike(wrong):
    with pytest.raises(SearchFailed, match="last 3 trainings failed alike: Expected a number"):
        find(wrong)


def test_a_training_may_switch_gradients_off():
    def train(values):
        torch.set_grad_enabled(False)
        return values["a"]

    try:
        result = search({"a": [1, 2, 3], "b": [1, 2]}, train, budget=5, verbose=False)
    finally:
        torch.set_grad_enabled(True)
    assert [record.state for record in result.records] == ["complete"] * 5


def test_an_objective_that_is_free_leaves_nothing_to_return():
    with pytest.raises(SearchFailed, match="Every objective is measured by free="):
        find(deep, free={"accuracy": lambda values: 1.0})


def test_where_all_were_pruned_the_result_says_so():
    def train(values, trial):
        raise optuna.TrialPruned

    result = find(train, budget=3)
    with pytest.raises(SearchFailed, match="Of 3 trainings all were pruned"):
        _ = result.best


def test_a_free_metric_that_is_never_a_number_is_named():
    with pytest.raises(SearchFailed, match="of which 'p' is known: of none of 6 that were measured it was a finite"):
        find(deep, {"depth": [1, 2, 3], "b": [1, 2]}, free={"p": lambda values: float("nan")}, limits=["p<=1"])


def test_what_cannot_be_measured_is_told_once(capsys):
    result = find(
        deep,
        {"depth": [1, 2, 3], "b": [1, 2]},
        free={"p": lambda values: 1 / (values["depth"] - 1)},
        limits=["p<=1"],
        verbose=True,
    )
    assert len(result.records) == 4
    told = capsys.readouterr().err
    assert told.count("is left out, at first: ZeroDivisionError") == 1


async def later(values):
    return 1.0


def yielding(values):
    yield 1.0


@pytest.mark.parametrize(("evaluate", "what"), [(later, "a coroutine"), (yielding, "a generator")])
def test_what_returns_no_metrics_is_refused_at_once(evaluate, what):
    with pytest.raises(UsageError, match=f"which returns {what}. Wrap it"):
        find(evaluate)


def test_a_callback_of_other_arguments_is_refused_before_any_training():
    calls = []
    with pytest.raises(UsageError, match="Expected callbacks that take a RunningSearch and a Record"):
        find(lambda values: calls.append(values) or 1.0, callbacks=lambda record: None)
    assert not calls
