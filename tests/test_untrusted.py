"""Whatever is read from elsewhere, any bytes or a valid file that was changed, is read or refused in a sentence; nothing runs."""

from __future__ import annotations

import copy
import json
import lzma
import math
import pickle
import shutil
import sqlite3
from contextlib import closing, contextmanager
from functools import cache
from pathlib import Path
from uuid import uuid4

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from optiproxy.cli.inputs import saved, search_file
from optiproxy.comparison.folder import Folder
from optiproxy.comparison.grid import Grid, Run, TaskSetting
from optiproxy.comparison.results import Row, RunResult, to_csv
from optiproxy.errors import OptiProxyError, UsageError
from optiproxy.metrics import Goal, Objective
from optiproxy.proxy import cache as pretrained
from optiproxy.reporting.search.card import card
from optiproxy.reporting.search.page import search_report
from optiproxy.searching.earlier import known_results
from optiproxy.searching.load import load
from optiproxy.searching.search import search
from optiproxy.spaces import FlatSpace, Float
from optiproxy.storage.record import Record
from optiproxy.tables.store.files import read_arrays, write_arrays

pytestmark = pytest.mark.slow

few = settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])

EVIL = ["../../x", "/etc/passwd", "\x1b[2J", "<script>", "__import__('os')", "NaN", "", "max", "accuracy"]

anything = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from(EVIL),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4) | st.sampled_from(EVIL), inner, max_size=3)
    ),
    max_leaves=4,
)


def places(content, found=()):
    """Every holder and key in a tree of lists and mappings."""
    entries = content.items() if isinstance(content, dict) else enumerate(content) if isinstance(content, list) else ()
    return [place for key, inner in entries for place in [(content, key), *places(inner)]]


@st.composite
def changed(draw, valid):
    """The same with some values replaced, or left out."""
    content = copy.deepcopy(valid)
    for _ in range(draw(st.integers(1, 2))):
        held = places(content)
        if not held or draw(st.integers(0, 9)) == 0:
            return draw(anything)
        holder, key = held[draw(st.integers(0, len(held) - 1))]
        if draw(st.integers(0, 3)):
            holder[key] = draw(anything)
        else:
            del holder[key]
    return content


@st.composite
def flipped(draw, valid):
    """The same bytes with some of them replaced, cut off, or others altogether."""
    if draw(st.integers(0, 4)) == 0:
        return draw(st.binary(max_size=200))
    content = bytearray(valid)
    for _ in range(draw(st.integers(0, 8))):
        content[draw(st.integers(0, len(content) - 1))] = draw(st.integers(0, 255))
    return bytes(content[: draw(st.integers(0, len(content)) | st.just(len(content)))])


@contextmanager
def one_sentence():
    told = "a sentence of any length"
    try:
        yield
    except OptiProxyError as error:
        told = str(error)
    assert 10 < len(told) < 1500
    assert "\n" not in told


@cache
def searched(folder):
    """The file of a study with a failed, a pruned and complete queries, whose best has saved something."""
    path = Path(folder) / "study.db"

    def train(architecture, trial):
        trial.report(0.5, 1)
        if architecture["kernel"] == 3:
            raise ValueError("no")
        trial.save({"weight": __import__("torch").zeros(2)})
        return {"accuracy": architecture["rate"], "params": float(architecture["kernel"]), "note": "text"}

    space = {"kernel": [1, 2, 3], "rate": Float(0.1, 0.9)}
    search(
        *(space, train),
        objectives=["accuracy", "params:min"],
        limits=["params<=9"],
        budget=5,
        verbose=False,
        algorithm="random",
        storage=str(path),
        study="s",
    )
    with closing(sqlite3.connect(path)) as connection:
        # A file of its own: SQLite keeps beside the other one what Optuna has not closed.
        connection.execute("VACUUM INTO ?", (str(path.with_name("whole.db")),))
    return path.with_name("whole.db")


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    return searched(str(tmp_path_factory.mktemp("study")))


def shown(path):
    """Read a study and show it in every way."""
    with one_sentence():
        result = load(str(path))
        assert "<script>" not in search_report(result, folder=Path()).partition("<body>")[2].partition("<script>")[0]
        assert "<script>" not in result._repr_html_()
        json.dumps(saved.content(result), allow_nan=False)
        assert repr(result)
        for record in result.records:
            assert all(path.resolve().is_relative_to(path.parent.resolve()) for path in record.files.values())
        if result.has_best:
            assert "<script>" not in card(result, result.best, trainings={result.seed: result.best.metrics})


TABLES = {
    "study_user_attributes": "value_json",
    "trial_user_attributes": "value_json",
    "trial_system_attributes": "value_json",
    "trial_params": "distribution_json",
}


@few
@given(data=st.data(), table=st.sampled_from([*TABLES]))
def test_attributes_of_a_study(study, tmp_path, data, table):
    path = tmp_path / f"{uuid4().hex}.db"
    shutil.copy(study, path)
    column = TABLES[table]
    with closing(sqlite3.connect(path)) as connection:
        rows = connection.execute(f"SELECT rowid, {column} FROM {table} ORDER BY rowid").fetchall()
        row, text = data.draw(st.sampled_from(rows))
        content = json.dumps(data.draw(changed(json.loads(text))))
        connection.execute(f"UPDATE {table} SET {column} = ? WHERE rowid = ?", (content, row))
        connection.commit()
    shown(path)


@few
@given(data=st.data())
def test_any_bytes_as_a_study(study, tmp_path, data):
    path = tmp_path / f"{uuid4().hex}.db"
    path.write_bytes(data.draw(flipped(study.read_bytes())))
    shown(path)


@few
@given(
    content=changed({"study": "s", "storage": "sqlite:///x.db", "task": "t", "seed": 0}), other=st.binary(max_size=40)
)
def test_a_result(tmp_path, content, other):
    for text in (json.dumps(content).encode(), other):
        (tmp_path / "result.json").write_bytes(text)
        with one_sentence():
            saved.locate(str(tmp_path))
        assert {path.name for path in tmp_path.iterdir()} == {"result.json"}


RUNS = [
    RunResult(
        run=Run("t", "random", seed),
        source="table",
        queries=tuple(
            Row(
                query=i,
                architecture={"a": i},
                metrics={"accuracy": float(i)},
                feasible=True,
                best_so_far=float(i),
                ask_seconds=0.1,
            )
            for i in (1, 2)
        ),
        overhead_mb=1.0,
    )
    for seed in (0, 1)
]
GRID = Grid(tasks={"t": TaskSetting(objective="accuracy:max")}, algorithms=("random",), seeds=2, budget=2, version="1")


def summaries(folder):
    with one_sentence():
        comparison = Folder(folder).comparison()
        assert comparison.summaries


@few
@given(settings_=changed(GRID.to_json()), data=st.data())
def test_the_folder_of_a_comparison(tmp_path, settings_, data):
    shutil.rmtree(tmp_path / "c", ignore_errors=True)
    folder = Folder(tmp_path / "c")
    folder.claim(GRID)
    for result in RUNS:
        result.save(folder.part(result.run))
    part = folder.part(RUNS[0].run)
    whole = part.read_text()
    part.write_text(json.dumps(data.draw(changed(json.loads(whole)))))
    summaries(folder.path)
    part.write_text(whole)
    (folder.path / "settings.json").write_text(json.dumps(settings_))
    summaries(folder.path)


@few
@given(data=st.data())
def test_the_rows_of_a_comparison(tmp_path, data):
    (tmp_path / "settings.json").write_text(json.dumps(GRID.to_json()))
    (tmp_path / "summary.json").write_text(json.dumps({"t": {"random": {"overhead_mb_peak": 1.0}}}))
    rows = to_csv(RUNS).encode()
    for name, content in (("results.csv", flipped(rows)), ("results.csv.xz", flipped(lzma.compress(rows)))):
        (tmp_path / name).write_bytes(data.draw(content))
        summaries(tmp_path)
        (tmp_path / name).unlink()


def test_rows_do_not_expand_without_end(tmp_path, monkeypatch):
    monkeypatch.setattr("optiproxy.comparison.results.MOST_BYTES", 2**16)
    (tmp_path / "settings.json").write_text(json.dumps(GRID.to_json()))
    (tmp_path / "summary.json").write_text("{}")
    head, *rows = to_csv(RUNS[:1]).encode().splitlines(keepends=True)
    for content in (b"a" * 2**22, head + b"".join(rows) * 2**10):
        (tmp_path / "results.csv.xz").write_bytes(lzma.compress(content))
        with pytest.raises(OptiProxyError, match=r"expand to more than|field larger"):
            Folder(tmp_path).comparison()


def test_nesting_without_end(tmp_path):
    deep = "[" * 100_000
    (tmp_path / "settings.json").write_text(deep)
    (tmp_path / "result.json").write_text(deep)
    (tmp_path / "s.toml").write_text(f"a = {deep}")
    for read in (Folder(tmp_path).comparison, lambda: search_file.read(tmp_path / "s.toml")):
        with pytest.raises(OptiProxyError):
            read()
    assert saved.read(tmp_path) == {}


TOML = 'evaluate = "m:f"\nlimits = ["a<=1"]\nbudget = 4\n[space]\nwidth = [1, 2]\nrate = { low = 1e-4, high = 1e-1, log = true }\n'


@given(content=flipped(TOML.encode()))
def test_a_search_file(tmp_path_factory, content):
    path = tmp_path_factory.getbasetemp() / "s.toml"
    path.write_bytes(content)
    with one_sentence():
        search_file.read(path)


@given(data=st.data())
def test_arrays_and_pretrained_weights(tmp_path_factory, data):
    path = tmp_path_factory.getbasetemp() / "a.npz"
    write_arrays(path, {"a": np.arange(4, dtype=np.float32), "b": np.array(["x"])})
    path.write_bytes(data.draw(flipped(path.read_bytes())))
    with one_sentence():
        read_arrays(path, remedy="Fetch it again.")
    found = pretrained._read(path)
    assert found is None or all(array.dtype != object for array in found.values())


class Harmful:
    def __reduce__(self):
        return Path.touch, (Path("touched"),)


@given(data=st.data())
def test_what_a_training_has_saved(tmp_path_factory, data):
    import torch

    path = tmp_path_factory.getbasetemp() / "weights.pt"
    torch.save({"weight": torch.ones(2)}, path)
    path.write_bytes(data.draw(flipped(path.read_bytes())))
    with one_sentence():
        Record(number=0, architecture=(0,), state="complete", files={"weights.pt": path}).load()


def test_nothing_that_was_saved_runs(tmp_path, monkeypatch):
    import torch

    monkeypatch.chdir(tmp_path)
    torch.save({"weight": Harmful()}, tmp_path / "torch.pt")
    (tmp_path / "plain.pt").write_bytes(pickle.dumps(Harmful()))
    for name in ("torch.pt", "plain.pt"):
        with pytest.raises(UsageError, match=r"is not read|is damaged"):
            Record(number=0, architecture=(0,), state="complete", files={name: tmp_path / name}).load(name)
    assert not Path("touched").exists()


SPACE, GOAL = FlatSpace({"a": [1, 2], "b": ["x", "y"]}), Goal((Objective("accuracy"),))


@given(rows=st.lists(changed({"a": 1, "b": "x", "accuracy": 0.5}), max_size=2) | anything)
def test_results_from_elsewhere(rows):
    with one_sentence():
        for architecture, metrics in known_results(rows, SPACE, GOAL):
            assert SPACE.is_valid(architecture)
            assert all(math.isfinite(value) for value in metrics.values())


NUMBERS = [True, "3", -1, 0, 2.5, math.nan, math.inf, -math.inf, 2**64, 10**400, [1], {}]


@pytest.mark.parametrize("value", NUMBERS, ids=lambda value: str(value)[:12])
@pytest.mark.parametrize(
    "name",
    ["budget", "seed", "workers", "keep", "patience", "promote", "timeout", "max_seconds", "target", "max_failures"],
)
def test_numbers_that_make_no_sense(name, value):
    sensible = {
        "seed": [0],
        "keep": [0],
        "promote": [0],
        "timeout": [2.5, 2**64],
        "max_seconds": [2.5, 2**64],
        "target": [-1, 0, 2.5, 2**64],
    }
    if any(type(value) is type(good) and value == good for good in sensible.get(name, ())):
        return
    with pytest.raises(OptiProxyError) as refused:
        search(
            {"a": [1, 2]},
            lambda _: pytest.fail("nothing may be trained"),
            **{"budget": 1, "verbose": False, name: value},
        )
    assert "\n" not in str(refused.value)
