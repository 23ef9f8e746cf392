from __future__ import annotations

import json
import runpy
import subprocess
import sys

import pytest
import torch

from optiproxy.errors import ExportError, UsageError
from optiproxy.metrics import Goal, Metric, Objective
from optiproxy.spaces import FlatSpace
from optiproxy.task.task import Source, Task
from optiproxy.training.export.graph_files import TorchProgram
from optiproxy.training.export.network_files import Exported, export, remove_earlier
from optiproxy.training.tasks.digits import DigitsTask

pytestmark = pytest.mark.slow

ARCHITECTURE = (3, 1, 2, 4, 0, 3)
SEED = 4

FRESH = """
import sys

class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] == "optiproxy":
            raise ImportError("optiproxy is not to be imported")

sys.meta_path.insert(0, Blocked())
sys.path.insert(0, sys.argv[1])
import network, torch

images = torch.load(sys.argv[2], weights_only=True)
with torch.no_grad():
    torch.save(network.load()(images), sys.argv[3])
"""


class BriefDigits(DigitsTask):
    """The real task with one short training."""

    fidelities = (2,)


@pytest.fixture(scope="module")
def task() -> BriefDigits:
    return BriefDigits()


@pytest.fixture(scope="module")
def exported(task, tmp_path_factory) -> Exported:
    metrics = task.evaluate(ARCHITECTURE, seed=SEED)
    return export(task, ARCHITECTURE, tmp_path_factory.mktemp("winner"), seed=SEED, metrics=metrics)


def test_the_exported_network_needs_no_optiproxy_and_answers_like_the_trained_one(task, exported, tmp_path):
    images = torch.rand(16, 1, 8, 8, generator=torch.Generator().manual_seed(0))
    torch.save(images, tmp_path / "images.pt")
    subprocess.run(
        [
            sys.executable,
            "-I",
            "-W",
            "error",
            "-c",
            FRESH,
            exported.architecture.parent,
            tmp_path / "images.pt",
            tmp_path / "out.pt",
        ],
        check=True,
    )
    trained = task.train(ARCHITECTURE, seed=SEED).network
    with torch.no_grad():
        expected = trained(images)
    torch.testing.assert_close(torch.load(tmp_path / "out.pt", weights_only=True), expected, rtol=0, atol=1e-6)


def test_the_repeated_training_meets_the_recorded_one(exported):
    assert exported.note == ""
    content = json.loads(exported.architecture.read_text(encoding="utf-8"))
    assert content["metrics"]["recorded"]["val_accuracy"] == content["metrics"]["repeated"]["val_accuracy"]


def test_the_description_names_the_architecture_and_where_it_comes_from(task, exported):
    content = json.loads(exported.architecture.read_text(encoding="utf-8"))
    assert task.space.architecture(content["architecture"]) == ARCHITECTURE
    assert content["task"] == "digits"
    assert content["seed"] == SEED
    assert content["source"]["name"] == task.source.name
    assert content["network"]["input_shape"] == [1, 8, 8]


def test_a_training_that_comes_out_otherwise_is_told(task, tmp_path):
    exported = export(task, ARCHITECTURE, tmp_path, seed=SEED, metrics={"val_accuracy": 101.0})
    assert "val_accuracy" in exported.note
    assert "101" in exported.note


def test_exporting_again_replaces_the_files(task, tmp_path):
    folder = tmp_path / "deep" / "er"
    export(task, ARCHITECTURE, folder, seed=SEED, metrics={})
    before = torch.load(folder / "weights.pt", weights_only=True)["head.weight"]
    names = sorted(path.name for path in folder.iterdir())
    export(task, ARCHITECTURE, folder, seed=SEED + 1, metrics={})
    assert sorted(path.name for path in folder.iterdir()) == names == ["architecture.json", "network.py", "weights.pt"]
    assert not torch.equal(torch.load(folder / "weights.pt", weights_only=True)["head.weight"], before)


def test_an_export_of_another_format_leaves_no_file_of_the_earlier_network(task, tmp_path):
    (tmp_path / "mine.txt").write_text("stays")
    export(task, ARCHITECTURE, tmp_path, seed=SEED, metrics={}, formats=["python", "torch"])
    export(task, ARCHITECTURE, tmp_path, seed=SEED + 1, metrics={}, formats=["torch"])
    assert sorted(path.name for path in tmp_path.iterdir()) == ["architecture.json", "mine.txt", "network.pt2"]


def test_an_export_that_fails_leaves_the_earlier_one_as_it_is(task, tmp_path, monkeypatch):
    export(task, ARCHITECTURE, tmp_path, seed=SEED, metrics={})
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}

    def fail(*_):
        raise ExportError("No.")

    monkeypatch.setattr(TorchProgram, "write", fail)
    with pytest.raises(ExportError):
        export(task, ARCHITECTURE, tmp_path, seed=SEED + 1, metrics={}, formats=["python", "torch"])
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


@pytest.mark.parametrize(
    "told", ['{"files": ["mine.txt", "../other.txt", "network.py"]}', '{"files": 3}', "[]", "no json"]
)
def test_a_description_from_elsewhere_removes_nothing_but_a_network(told, tmp_path):
    for name in ("mine.txt", "network.py"):
        (tmp_path / name).write_text("mine")
    (tmp_path / "architecture.json").write_text(told)
    remove_earlier(tmp_path)
    assert (tmp_path / "mine.txt").exists()
    assert (tmp_path / "network.py").exists() == ("network.py" not in told)


def test_a_winner_may_be_trained_longer_than_any_query(task, tmp_path):
    exported = export(task, ARCHITECTURE, tmp_path, seed=SEED, metrics={}, epochs=3)
    assert json.loads(exported.architecture.read_text(encoding="utf-8"))["epochs"] == 3
    with pytest.raises(UsageError, match="at least 1 epoch, got 0"):
        export(task, ARCHITECTURE, tmp_path, seed=SEED, metrics={}, epochs=0)


def test_the_file_also_builds_the_network_untrained(exported):
    trained, fresh = (runpy.run_path(str(exported.files[0].path))[name]() for name in ("load", "build"))
    assert trained.state_dict().keys() == fresh.state_dict().keys()
    assert not torch.equal(trained.head.weight, fresh.head.weight)


def test_every_format_of_a_trained_network_is_checked(task, tmp_path):
    exported = export(task, ARCHITECTURE, tmp_path, seed=SEED, metrics={}, formats=["python", "torch"])
    assert [written.path.name for written in exported.files] == ["network.py", "network.pt2"]
    assert all(written.difference <= 1e-5 for written in exported.files)


def test_a_folder_that_cannot_be_written_is_said_plainly(task, tmp_path):
    occupied = tmp_path / "file"
    occupied.write_text("", encoding="utf-8")
    with pytest.raises(UsageError, match="Cannot write the export"):
        export(task, ARCHITECTURE, occupied, seed=SEED, metrics={})


def test_a_task_that_trains_no_network_has_nothing_to_export(tmp_path):
    class Formula(Task):
        name = "formula"
        space = FlatSpace({"x": [1, 2]})
        metrics = (Metric(name="y", direction="max"),)
        goal = Goal((Objective("y"),))
        source = Source("formula", "computed")

        def evaluate(self, architecture, *, seed=0, fidelity=None):
            return {"y": float(architecture[0])}

    with pytest.raises(UsageError, match="trains no network"):
        export(Formula(), (0,), tmp_path, seed=0, metrics={"y": 0.0})
    assert list(tmp_path.iterdir()) == []
