"""``optiproxy data`` and what ``optiproxy tasks`` says of the data."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest

from optiproxy import registry
from optiproxy.tables.store.datasets import DATASETS, IMPORTS

SMALL = "nasbench_nlp_wikitext2"


@pytest.fixture
def mirror(data_folder):
    folder = data_folder / "raw"
    if not folder.is_dir():
        pytest.skip("needs the published files in $OPTIPROXY_DATA/raw")
    return folder


@pytest.fixture
def folder(monkeypatch, tmp_path):
    monkeypatch.setenv("OPTIPROXY_DATA", str(tmp_path / "data"))
    return tmp_path / "data"


def test_fetch_verify_and_list_agree(optiproxy, mirror, folder):
    made = optiproxy("data", "fetch", SMALL, "--mirror", mirror)
    assert made.exit_code == 0, made.output
    assert made.stdout == f"{SMALL}: {folder / SMALL}.npz\n"
    assert [path.name for path in folder.iterdir()] == [f"{SMALL}.npz"]
    written = (folder / f"{SMALL}.npz").stat().st_mtime_ns

    again = optiproxy("data", "fetch", SMALL, "--mirror", mirror)
    assert again.stdout == f"{SMALL}: already in {folder}, verified.\n"
    assert (folder / f"{SMALL}.npz").stat().st_mtime_ns == written

    assert optiproxy("data", "verify").stdout == f"{SMALL}: verified.\n"
    listed = {entry["name"]: entry for entry in json.loads(optiproxy("data", "list", "--json").stdout)}
    assert {name: entry["state"] for name, entry in listed.items()} == {
        **dict.fromkeys(DATASETS, "missing"),
        SMALL: "here",
    }


def test_a_damaged_dataset_is_told_and_made_again(optiproxy, mirror, folder):
    optiproxy("data", "fetch", SMALL, "--mirror", mirror)
    path = folder / f"{SMALL}.npz"
    sound = path.read_bytes()
    path.write_bytes(sound[: len(sound) // 2])
    for arguments in (("verify",), ("verify", SMALL)):
        refused = optiproxy("data", *arguments)
        assert refused.exit_code == 2
        assert refused.stderr.startswith("Error: Expected ")
        assert f"`optiproxy data fetch {SMALL}`" in refused.stderr
    assert "damaged" in optiproxy("data", "list").stdout
    assert optiproxy("data", "fetch", SMALL, "--mirror", mirror).exit_code == 0
    assert path.read_bytes() == sound


def test_the_list_says_everything_that_is_declared(optiproxy, folder):
    listed = json.loads(optiproxy("data", "list", "--json").stdout)
    assert [entry["name"] for entry in listed] == list(DATASETS)
    for entry in listed:
        dataset = DATASETS[entry["name"]]
        assert [(file["name"], file["sha256"], file["bytes"], file["url"]) for file in entry["files"]] == [
            (file.name, file.sha256, file.size, file.url) for file in dataset.files
        ]
        assert entry["licence"]
        assert entry["download_bytes"] == sum(file.size for file in dataset.files)
        assert entry["path"] == str(folder / f"{dataset.name}.npz")
        assert entry["tasks"]
    text = optiproxy("data", "list").stdout
    for entry in listed:
        line = next(line for line in text.splitlines() if line.startswith(f"{entry['name']} "))
        assert entry["licence"] in line
        assert entry["tasks"][0] in line
        assert "not here" in line
    assert not folder.exists()


def test_what_can_be_imported_is_named(optiproxy):
    assert all(name in optiproxy("data", "import", "--help").stdout for name in IMPORTS)


def test_without_the_variable_data_lies_in_the_users_cache_folder(optiproxy):
    listed = json.loads(optiproxy("data", "list", "--json").stdout)
    assert listed[0]["path"] == str(Path(os.environ["XDG_CACHE_HOME"]) / "optiproxy" / "nasbench201.npz")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["fetch", "nasbench202"], "Unknown dataset 'nasbench202'. Did you mean 'nasbench201'?"),
        (["verify", "nasbench202"], "Unknown dataset 'nasbench202'"),
        (["fetch", SMALL, "--mirror", "nowhere"], "Expected --mirror to name a folder, got nowhere"),
        (["import", "nasbench", "file"], "Unknown benchmark to import 'nasbench'"),
        (["import", "nasbench201", "file"], "there is no file. Correct the path."),
        (["import", "nasbench201"], "Missing argument 'FILE'"),
        (["bogus"], "No such command 'bogus'"),
    ],
)
def test_bad_usage_is_told_plainly(optiproxy, folder, arguments, message):
    result = optiproxy("data", *arguments)
    assert result.exit_code == 2
    assert message in result.stderr
    assert "Traceback" not in result.output
    assert not folder.exists()


def test_swapped_files_are_refused_and_nothing_is_left(optiproxy, mirror, folder, tmp_path):
    swapped = tmp_path / "swapped"
    swapped.mkdir()
    first, second, third = (file.name for file in DATASETS["hwnasbench"].files)
    for name, source in ((first, second), (second, first), (third, third)):
        shutil.copyfile(mirror / source, swapped / name)
    result = optiproxy("data", "fetch", "hwnasbench", "--mirror", swapped)
    assert result.exit_code == 2
    assert "to have the sha256 71e56e00ce03..., got 43e66dff2c02..." in result.stderr
    assert list(folder.iterdir()) == []


def test_an_interrupt_keeps_what_is_finished(optiproxy, mirror, folder, monkeypatch):
    from optiproxy.tables.store.fetching import Mirror

    read = Mirror.read

    def interrupted(self, file, advance):
        if file.name.startswith("hw_cifar100"):
            raise KeyboardInterrupt
        return read(self, file, advance)

    monkeypatch.setattr(Mirror, "read", interrupted)
    result = optiproxy("data", "fetch", SMALL, "hwnasbench", "--mirror", mirror)
    assert result.exit_code == 1
    assert "Interrupted." in result.stderr
    assert [path.name for path in folder.iterdir()] == [f"{SMALL}.npz"]


def test_what_is_no_archive_is_not_imported(optiproxy, folder, tmp_path):
    (tmp_path / "archive.tar").write_bytes(b"no archive")
    for name in ("nasbench201", "nasbench101"):
        result = optiproxy("data", "import", name, tmp_path / "archive.tar")
        assert result.exit_code == 2
        assert result.stderr.startswith("Error: Expected")
        assert list(folder.iterdir()) == []


@pytest.mark.slow
def test_tasks_without_their_data_say_how_to_get_it(optiproxy, folder):
    folder.mkdir()
    found = {entry["id"]: entry for entry in json.loads(optiproxy("tasks", "--json").stdout)}
    for entry in registry.tasks():
        listed = found[entry.name]
        assert listed["data"] == list(entry.data)
        assert listed["fetch"] == (f"optiproxy data fetch {' '.join(entry.data)}" if entry.data else None)
        assert listed["licence"]
    # The values of an installed package serve, and say that there is more.
    assert found["nasbench201-cifar10"]["available"]
    assert not found["hwnasbench-fpga-1ms"]["available"]
    assert "not available: `optiproxy data fetch nasbench201 hwnasbench`" in optiproxy("tasks").stdout
    search = optiproxy("search", "hwnasbench-fpga-1ms")
    assert search.exit_code == 2
    assert "Get it with `optiproxy data fetch nasbench201`" in search.stderr


@pytest.mark.slow
def test_tasks_with_their_data_are_available(optiproxy, monkeypatch, data_folder):
    monkeypatch.setenv("OPTIPROXY_DATA", str(data_folder))
    found = json.loads(optiproxy("tasks", "--json").stdout)
    assert all(
        entry["available"] and entry["fetch"] is None and entry["source"] and entry["licence"] for entry in found
    )
