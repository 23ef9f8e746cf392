"""The archive of Accel-NASBench: the published one, and archives that are none."""

from __future__ import annotations

import io
import json
import tarfile

import numpy as np
import pytest

from optiproxy.errors import DataError
from optiproxy.tables.convert.accelnas import PATHS, convert
from optiproxy.tables.store.datasets import DATASETS
from optiproxy.tables.store.files import arrays_digest, read_arrays

FILE = "accelnas_jsons.tar.gz"


def network(**changes):
    blocks = {
        f"block{i}_{what}": value for i in range(7) for what, value in (("e", 4), ("k", 5), ("l", 2), ("se", True))
    }
    platforms = {name: {path[-1]: 7.5} for name, path in PATHS.items() if path[0] == "platform_perf"}
    read = {
        "architecture": blocks,
        "metrics": {"val_top1": 60.0, "val_top5": 80.0, "train_time": 1000.0},
        "model_info": {"macs": 300, "params": 3.0},
        "platform_perf": platforms,
    }
    for key, value in changes.items():
        read[key] = {**read[key], **value} if isinstance(value, dict) else value
    return json.dumps(read).encode()


def archive(*contents, name="result_{}.json"):
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w:gz") as opened:
        for n, content in enumerate(contents):
            member = tarfile.TarInfo(name.format(n))
            member.size = len(content)
            opened.addfile(member, io.BytesIO(content))
    return {FILE: file.getvalue()}


def test_the_published_archive_converts_to_the_independent_conversion(raw_folder, data_folder):
    arrays = convert({FILE: (raw_folder / FILE).read_bytes()})
    expected = read_arrays(data_folder / "accelnas.npz", remedy="")
    assert set(arrays) == set(expected)
    for name, array in arrays.items():
        np.testing.assert_array_equal(array, expected[name], strict=True)
    assert arrays_digest(arrays) == DATASETS["accelnas"].digest


def test_a_measurement_on_a_platform_may_be_missing():
    null = network(platform_perf={"latency_zcu102": {"latency_mean": None}, "throughput_a100": {}})
    arrays = convert(archive(network(), null))
    missing = [list(PATHS).index(name) for name in ("latency_zcu102", "throughput_a100")]
    assert np.flatnonzero(np.isnan(arrays["metrics"][1])).tolist() == missing
    assert not np.isnan(arrays["metrics"][0]).any()
    assert arrays["arch"].tolist() == [[4, 5, 2, 1] * 7] * 2


def test_names_in_the_archive_are_never_paths(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert len(convert(archive(network(), name="../escaped_{}.json"))["arch"]) == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "to be JSON"),
        (b"[" * 9_000, "to be JSON"),
        (b"null", "to be a measured network"),
        (b"[]", "to be a measured network"),
        (network(architecture=7), "to be a measured network"),
        (network(architecture={"block6_k": 256}), "impossible size"),
        (network(architecture={"block6_k": -1}), "impossible size"),
        (network(architecture={"block6_k": "x"}), "to be a measured network"),
        (network(metrics={"val_top1": None}), "its val_top1 is no number"),
        (network(metrics={"val_top1": "60"}), "its val_top1 is no number"),
        (network(metrics={"val_top1": True}), "its val_top1 is no number"),
        (network(metrics={"val_top1": float("nan")}), "its val_top1 is no number"),
        (network(platform_perf={"latency_zcu102": {"latency_mean": float("inf")}}), "latency_mean is no number"),
        (network(platform_perf={"latency_zcu102": None}), "to be a measured network"),
        (network(platform_perf=None), "to be a measured network"),
        (b" " * 20_000, "would expand"),
    ],
)
def test_files_of_another_form_are_refused(content, message):
    with pytest.raises(DataError, match=message) as caught:
        convert(archive(network(), content))
    assert len(str(caught.value)) < 600


def test_archives_that_are_none_are_refused():
    whole = archive(network())[FILE]
    for content in (b"", b"\x1f\x8b", whole[: len(whole) // 2], whole[::-1]):
        with pytest.raises(DataError, match="an archive of measurements"):
            convert({FILE: content})
    with pytest.raises(DataError, match=f"Expected the file {FILE}"):
        convert({})
    with pytest.raises(DataError, match="Expected measured networks"):
        convert(archive())
