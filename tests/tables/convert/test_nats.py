"""The official archives, in small: the same form, five cells instead of 15,625."""

from __future__ import annotations

import bz2
import io
import pickle
import tarfile
from collections import OrderedDict

import numpy as np
import pytest
import torch

from optiproxy.errors import DataError
from optiproxy.tables.convert import nasbench201 as convert_nasbench201
from optiproxy.tables.convert import nats as convert_nats
from optiproxy.tables.convert.nats import convert

from ..conftest import CELLS, cell_text

TEXTS = [cell_text(cell) for cell in CELLS[::3333]]
SPLITS = {
    "cifar10-valid": ("x-valid", "ori-test"),
    "cifar10": ("ori-test",),
    "cifar100": ("x-valid", "x-test", "ori-test"),
    "ImageNet16-120": ("x-valid", "x-test", "ori-test"),
}
SEEDS = {200: (777, 888), 12: (777,)}


@pytest.fixture(autouse=True)
def _few_cells(monkeypatch):
    for module in (convert_nats, convert_nasbench201):
        monkeypatch.setattr(module, "COUNT", len(TEXTS))


def _accuracy(index, dataset, split, seed, epochs):
    return 10.0 * index + len(dataset) + len(split) / 10 + seed / 1000 + epochs / 1e4


def _trained(index, epochs):
    results = {}
    for dataset, splits in SPLITS.items():
        for seed in SEEDS[epochs]:
            accuracies = {
                f"{split}@{epoch}": _accuracy(index, dataset, split, seed, epochs) if epoch == epochs - 1 else 0.0
                for split in splits
                for epoch in range(epochs)
            }
            results[dataset, seed] = {
                "name": "infer.tiny",
                "net_state_dict": None,
                "train_times": OrderedDict(enumerate([1.0] * epochs)),
                "arch_config": {"channel": 16, "num_cells": 5, "arch_str": TEXTS[index], "class_num": 10},
                "seed": seed,
                "epochs": epochs,
                "latency": [0.02],
                "eval_names": list(splits),
                "eval_acc1es": accuracies,
            }
    return {
        "arch_index": index,
        "arch_str": TEXTS[index],
        "all_results": results,
        "dataset_seed": {dataset: list(SEEDS[epochs]) for dataset in SPLITS},
        "clear_net_done": True,
    }


def _newer():
    return {index: {"12": _trained(index, 12), "200": _trained(index, 200)} for index in range(len(TEXTS))}


def _compressed(record):
    return bz2.compress(pickle.dumps(record, protocol=4))


def _members():
    members = {f"NATS-tss-v1_0-3ffb9-simple/{i:06d}.pickle.pbz2": _compressed(record) for i, record in _newer().items()}
    return {"NATS-tss-v1_0-3ffb9-simple/meta.pickle.pbz2": b"not needed", **members}


def _tar(path, members, mode="w"):
    with tarfile.open(path, mode) as archive:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return path


@pytest.fixture(params=["tar", "folder", "torch"])
def archive(request, tmp_path):
    if request.param == "tar":
        # The order of the members is of no account.
        return _tar(tmp_path / "archive.tar", dict(reversed(_members().items())))
    if request.param == "folder":
        folder = tmp_path / "archive"
        folder.mkdir()
        for name, content in _members().items():
            (folder / name.rpartition("/")[2]).write_bytes(content)
        return folder
    older = {i: {"full": record["200"], "less": record["12"]} for i, record in _newer().items()}
    torch.save({"meta_archs": TEXTS, "arch2infos": older, "evaluated_indexes": set()}, tmp_path / "archive.pth")
    return tmp_path / "archive.pth"


@pytest.mark.slow
def test_every_form_gives_the_same_table(archive):
    arrays = convert(archive)
    np.testing.assert_array_equal(arrays["ops"], CELLS[::3333])
    for column, (dataset, split) in {
        "cifar10_valid": ("cifar10-valid", "x-valid"),
        "cifar10_test": ("cifar10", "ori-test"),
        "cifar100_valid": ("cifar100", "x-valid"),
        "imagenet16_120_test": ("ImageNet16-120", "x-test"),
    }.items():
        for epochs, seeds in SEEDS.items():
            expected = [
                np.mean([_accuracy(i, dataset, split, seed, epochs) for seed in seeds]) for i in range(len(TEXTS))
            ]
            assert arrays[f"{column}_{epochs}"] == pytest.approx(np.array(expected))
    assert len(arrays) == 5 + 12


class _Harmful:
    def __reduce__(self):
        return print, ("this must not be printed",)


FIRST = "NATS-tss-v1_0-3ffb9-simple/000000.pickle.pbz2"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({FIRST: _compressed(_Harmful())}, "it asks for builtins.print"),
        ({FIRST: _compressed({"200": _Harmful()})}, "it asks for builtins.print"),
        ({FIRST: b"no bzip2"}, "to be compressed by bzip2"),
        ({FIRST: _compressed({})[:-5]}, "is cut short"),
        ({FIRST: _compressed({})}, "Expected the trainings of cell 0"),
        ({FIRST: _compressed([1])}, "Expected the trainings of cell 0"),
        ({FIRST: _compressed(_newer()[1])}, "Expected the 5 cells"),
        ({FIRST: bz2.compress(b"\0" * 10**8)}, "expands to more than"),
        ({FIRST: b"\0" * (convert_nats.MAX_COMPRESSED + 1)}, "Expected at most"),
        ({FIRST: bz2.compress(b"\x80\x04" + b"]" * 10**5 + b"a" * (10**5 - 1) + b".")}, "Expected the trainings"),
        ({"again/" + FIRST: _compressed(_newer()[0])}, "got number 0 again"),
        ({"999999.pickle.pbz2": _compressed(_newer()[0])}, "got number 999999 again"),
    ],
)
def test_hostile_archives_are_refused_and_leave_nothing(changes, message, tmp_path, capsys):
    path = _tar(tmp_path / "archive.tar", {**_members(), **changes})
    with pytest.raises(DataError, match=message):
        convert(path)
    assert capsys.readouterr().out == ""
    assert list(tmp_path.iterdir()) == [path]


def test_members_that_lead_elsewhere_are_never_written(tmp_path):
    folder = tmp_path / "inner"
    folder.mkdir()
    escaping = {"../escaped.txt": b"text", "/tmp/escaped-absolutely.txt": b"text"}
    path = _tar(folder / "archive.tar", {**escaping, **_members()})
    with tarfile.open(path, "a") as archive:
        for kind in (tarfile.SYMTYPE, tarfile.LNKTYPE):
            link = tarfile.TarInfo("000009.pickle.pbz2")
            link.type, link.linkname = kind, "/etc/passwd"
            archive.addfile(link)
    assert len(convert(path)["ops"]) == len(TEXTS)
    assert [entry.name for entry in tmp_path.iterdir()] == ["inner"]


def test_a_compressed_archive_is_another_kind_of_file(tmp_path):
    """It could expand without end; the official one is not compressed as a whole."""
    with pytest.raises(DataError):
        convert(_tar(tmp_path / "archive.tar.gz", _members(), "w:gz"))


@pytest.mark.parametrize("size", [0, 100, 20_000])
def test_a_truncated_archive_is_refused(tmp_path, size):
    path = _tar(tmp_path / "archive.tar", _members())
    with path.open("r+b") as file:
        file.truncate(size)
    with pytest.raises(DataError):
        convert(path)


def test_too_few_cells_are_refused(tmp_path):
    members = _members()
    del members[FIRST]
    with pytest.raises(DataError, match=r"Expected 5 cells in .*, got 4"):
        convert(_tar(tmp_path / "archive.tar", members))
    with pytest.raises(DataError, match=r"Expected 5 cells in .*, got 0"):
        convert(tmp_path)


def test_a_torch_file_that_would_run_code_is_refused(tmp_path, capsys):
    torch.save({"arch2infos": {0: _Harmful()}}, tmp_path / "archive.pth")
    with pytest.raises(DataError, match="Expected an official archive"):
        convert(tmp_path / "archive.pth")
    (tmp_path / "archive.pth").write_bytes(pickle.dumps(_Harmful()))
    with pytest.raises(DataError, match="Expected an official archive"):
        convert(tmp_path / "archive.pth")
    assert capsys.readouterr().out == ""
