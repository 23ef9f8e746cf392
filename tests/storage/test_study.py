from __future__ import annotations

import json
import sqlite3

import optuna
import pytest

from optiproxy.errors import StudyError, UsageError
from optiproxy.metrics import Goal, Limit, Objective
from optiproxy.searching.load import load
from optiproxy.searching.search import search
from optiproxy.spaces import FlatSpace, NASBench201
from optiproxy.storage.identity import (
    Identity,
    goal_from_json,
    protocol_from_json,
    source_from_json,
    space_from_json,
)
from optiproxy.task.protocol import QueryProtocol
from optiproxy.task.task import Source

CHOICES = {"a": [1, 2, 3], "b": ["x", None, True, 0.5]}


def _find(storage, choices=CHOICES, **arguments):
    return search(
        choices,
        lambda _: {"accuracy": 1.0, "latency": 1.0},
        **{"budget": 3, "algorithm": "random", "storage": storage, "study": "s", **arguments},
    )


@pytest.fixture
def url(tmp_path):
    return f"sqlite:///{tmp_path}/study.db"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"seed": 1}, "made for seed 0, not 1"),
        ({"algorithm": "regularized-evolution"}, "algorithm 'random', not 'regularized-evolution'"),
        ({"objectives": ["latency:min"]}, "objectives accuracy:max, not latency:min"),
        ({"limits": ["latency<=2"]}, "limits none, not latency<=2.0"),
        ({"choices": {"a": [1, 2, 3]}}, r"space flat \(\w{16}\), not flat \(\w{16}\)"),
        ({"choices": {"a": [1, 2, 3], "b": ["x", None, 1, 0.5]}}, "space"),
    ],
)
def test_another_search_under_the_same_name_is_refused(url, change, told):
    first = _find(url)
    with pytest.raises(StudyError, match=told):
        _find(url, **change)
    assert load(url).records == first.records
    assert len(_find(url, **change, study="another").records) == 3


def test_a_study_of_someone_else_is_refused(url):
    study = optuna.create_study(study_name="s", storage=url)
    study.add_trial(optuna.create_trial(value=1.0))
    with pytest.raises(StudyError, match="not one of optiproxy's"):
        _find(url)
    with pytest.raises(StudyError, match="not one of optiproxy's"):
        load(url)


@pytest.mark.slow
def test_a_larger_budget_goes_on(url):
    assert len(_find(url, budget=5).records) == 5
    assert len(_find(url, budget=7).records) == 7
    assert load(url).budget == 7


def test_a_plain_path_makes_its_folder(tmp_path):
    path = tmp_path / "new" / "folder" / "runs.db"
    result = _find(str(path))
    assert path.is_file()
    assert load(str(path), "s").records == result.records


@pytest.mark.parametrize(
    "content", [b"not a database, but long enough to look like one" * 50, b"SQLite format 3\x00" + b"\xff" * 5000]
)
def test_a_corrupt_database_is_left_alone_and_named(tmp_path, content):
    path = tmp_path / "study.db"
    path.write_bytes(content)
    for use in (_find, load):
        with pytest.raises(StudyError, match="Cannot use the study database"):
            use(f"sqlite:///{path}")
    assert path.read_bytes() == content


@pytest.mark.slow
def test_a_truncated_database_is_named(tmp_path, url):
    _find(url, budget=12)
    with sqlite3.connect(tmp_path / "study.db") as database:
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    content = (tmp_path / "study.db").read_bytes()
    (tmp_path / "study.db").write_bytes(content[: len(content) // 3])
    with pytest.raises(StudyError, match="Cannot use the study database"):
        _find(url, budget=20)


def test_a_read_only_database_is_named_before_anything_is_evaluated(tmp_path, url):
    _find(url)
    read_only = f"sqlite:///file:{tmp_path}/study.db?mode=ro&uri=true"
    with pytest.raises(StudyError, match=r"readonly database.*Check that it is writable"):
        search(
            CHOICES,
            lambda _: pytest.fail("must not be called"),
            budget=9,
            algorithm="random",
            storage=read_only,
            study="s",
        )
    assert load(read_only).records == load(url).records


def test_a_folder_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StudyError, match="Cannot create the folder"):
        _find(f"{tmp_path}/file/deeper/study.db")


@pytest.mark.slow
def test_what_is_not_there_cannot_be_loaded(tmp_path, url):
    with pytest.raises(StudyError, match="There is no study database"):
        load(url)
    assert not (tmp_path / "study.db").exists()
    _find(url)
    with pytest.raises(StudyError, match=r"There is no study 't'.* It holds: s"):
        load(url, "t")
    _find(url, study="t")
    with pytest.raises(StudyError, match=r"Expected one study.*found 2. Name one of: s, t"):
        load(url)


@pytest.mark.slow
def test_loading_gives_back_everything(url):
    result = _find(url, limits=["latency<=1.23456789"], budget=12)
    again = load(url)
    assert (again.goal, again.source, again.records, again.stopped) == (
        result.goal,
        result.source,
        result.records,
        "budget",
    )
    assert again.space.fingerprint == result.space.fingerprint
    assert again.best_architecture == result.best_architecture
    assert (again.task, again.algorithm, again.seed, again.budget) == ("function", "random", 0, 12)


def test_an_identity_survives_its_storage():
    goal = Goal((Objective("a"), Objective("b", "min")), (Limit("c", 0.1 + 0.2, ">="),))
    source = Source("name", "description", "MIT", "sha256:0")
    space = FlatSpace({"x": [1, True, None, "1"]})
    protocol = QueryProtocol(free=("c",), fidelity=5, promote=3, full=50)
    identity = Identity(task="t", space=space, goal=goal, source=source, algorithm="a", seed=1, protocol=protocol)
    content = json.loads(json.dumps(identity.to_json()))
    assert (goal_from_json(content), source_from_json(content)) == (goal, source)
    assert protocol_from_json(content) == protocol
    assert space_from_json(content).fingerprint == space.fingerprint


def test_a_published_space_can_be_read_without_its_task():
    space = NASBench201()
    goal = Goal((Objective("a"),))
    content = Identity(task="t", space=space, goal=goal, source=Source("s", ""), algorithm="a", seed=1).to_json()
    assert space_from_json(content).fingerprint == space.fingerprint


def test_optuna_is_as_talkative_afterwards_as_before(url):
    before = optuna.logging.get_verbosity()
    _find(url)
    assert optuna.logging.get_verbosity() == before


def test_a_storage_that_nobody_knows_is_a_wrong_argument():
    with pytest.raises(UsageError, match="Expected a storage like"):
        _find("sqlserver+nothing://host/db")


def test_optuna_knows_the_names_of_the_objectives(url):
    for _ in range(2):
        _find(url, objectives=["accuracy", "latency:min"])
        assert optuna.load_study(study_name="s", storage=url).metric_names == ["accuracy", "latency"]
