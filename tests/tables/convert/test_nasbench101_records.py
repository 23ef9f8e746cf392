"""The official record file, on small files of its form that are written here, checksums and all, by other means."""

from __future__ import annotations

import base64
import io
import json
import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from optiproxy.errors import DataError
from optiproxy.spaces.published.nasbench101 import NASBench101
from optiproxy.tables.convert.nasbench101 import module_hash
from optiproxy.tables.convert.nasbench101_records import convert
from optiproxy.tables.nasbench101 import RECORDS, nasbench101_task, to_rows
from optiproxy.tables.store.files import write_arrays
from optiproxy.tables.store.protobuf import MAX_BYTES, masked_checksums, read_records

CONV3, CONV1, POOL = "conv3x3-bn-relu", "conv1x1-bn-relu", "maxpool3x3"
CELLS = [
    ("0100" + "0010" + "0001" + "0000", ["input", CONV3, POOL, "output"]),
    ("0110" + "0001" + "0001" + "0000", ["input", POOL, CONV1, "output"]),
    ("01" + "00", ["input", "output"]),
]
"""Matrix and operations as published; the second is not in canonical form."""


def checksum(content):
    """CRC-32C bit by bit, masked."""
    found = 0xFFFFFFFF
    for byte in content:
        found ^= byte
        for _ in range(8):
            found = (found >> 1) ^ (0x82F63B78 if found & 1 else 0)
    found ^= 0xFFFFFFFF
    return (((found >> 15) | (found << 17)) + 0xA282EAD8) & 0xFFFFFFFF


def framed(content):
    length = struct.pack("<Q", len(content))
    return length + struct.pack("<I", checksum(length)) + content + struct.pack("<I", checksum(content))


def number(value):
    """A number in groups of seven bits."""
    groups = bytearray()
    while value > 0x7F:
        groups.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*groups, value])


def field(at, value):
    if isinstance(value, float):
        return number(at << 3 | 1) + struct.pack("<d", value)
    if isinstance(value, int):
        return number(at << 3) + number(value)
    return number(at << 3 | 2) + number(len(value)) + value


def metrics(*, seconds=900.0, valid=0.9, test=0.8, params=2_000_000):
    start = field(1, 0.0) + field(2, 0.0) + field(3, 0.1) + field(4, 0.1) + field(5, 0.1)
    final = field(1, 108.0) + field(2, seconds) + field(3, 1.0) + field(4, valid) + field(5, test) + field(6, b"ckpt")
    return field(1, start) + field(1, start) + field(1, final) + field(2, params) + field(3, 1234.5)


def record(cell, epochs=108, message=None, **changes):
    matrix, operations = CELLS[cell]
    row = {
        "hash": name_of(cell),
        "epochs": epochs,
        "matrix": matrix,
        "operations": ",".join(operations),
        "metrics": base64.b64encode(metrics() if message is None else message).decode(),
    }
    return json.dumps(list({**row, **changes}.values())).encode()


def name_of(cell):
    matrix, operations = CELLS[cell]
    n = len(operations)
    adjacency, labels = np.zeros((1, 7, 7), np.uint8), np.zeros((1, 7), np.uint8)
    adjacency[0, :n, :n] = np.array(list(matrix), np.uint8).reshape(n, n)
    labels[0, 1 : n - 1] = [(CONV3, CONV1, POOL).index(operation) for operation in operations[1:-1]]
    rows = to_rows({"adj": adjacency, "ops": labels, "n_vertices": np.array([n])})
    return module_hash(NASBench101().canonical_rows(rows)[0].tobytes())


def written(path, records):
    path.write_bytes(b"".join(map(framed, records)))
    return path


@pytest.fixture
def file(tmp_path):
    return tmp_path / "nasbench_full.tfrecord"


def test_trainings_are_averaged_and_cells_are_canonical(file):
    trainings = [
        record(0, message=metrics(seconds=100.0, valid=0.90, test=0.80, params=10)),
        record(1, message=metrics(seconds=500.0, valid=0.70, test=0.60, params=20)),
        record(0, message=metrics(seconds=200.0, valid=0.92, test=0.84, params=10)),
        record(0, epochs=4, message=metrics(seconds=7.0, valid=0.3, test=0.2, params=10)),
        record(2, message=metrics(seconds=1.0, valid=0.1, test=0.1, params=30)),
    ]
    arrays = convert(written(file, trainings))
    place = {name: n for n, name in enumerate(arrays["hash"].tolist())}
    order = [place[name_of(cell)] for cell in range(3)]
    assert arrays["hash"].tolist() == sorted(place)
    assert arrays["valid_acc_e108"][order].tolist() == pytest.approx([0.91, 0.70, 0.1])
    assert arrays["test_acc_e108"][order].tolist() == pytest.approx([0.82, 0.60, 0.1])
    assert arrays["train_time_s"][order].tolist() == pytest.approx([150.0, 500.0, 1.0])
    assert arrays["params"][order].tolist() == [10, 20, 30]
    assert arrays["valid_acc_e4"][order[0]] == pytest.approx(0.3)
    assert np.isnan(arrays["valid_acc_e4"][order[1:]]).all()
    assert "valid_acc_e12" not in arrays
    rows = to_rows(arrays)
    assert (NASBench101().canonical_rows(rows) == rows).all()
    assert arrays["ops"][order[1]].tolist() == [3, 1, 2, 4, 255, 255, 255]
    assert arrays["n_vertices"][order].tolist() == [4, 4, 2]


def test_the_imported_table_is_a_task(file, tmp_path, monkeypatch):
    written(file, [record(0, message=metrics(valid=0.9, test=0.8)), record(1, message=metrics(valid=0.7, test=0.85))])
    write_arrays(tmp_path / "nasbench101.npz", convert(file))
    monkeypatch.setenv("OPTIPROXY_DATA", str(tmp_path))
    task = nasbench101_task(RECORDS)
    assert task.source.name == RECORDS
    assert task.fidelities == (108,)
    assert task.optimum == pytest.approx(90.0)
    assert {metric.name for metric in task.metrics if metric.reported_only} == {"test_accuracy"}
    measured = [task.evaluate(cell) for cell in task.space.everything()]
    assert sorted(m["test_accuracy"] for m in measured) == pytest.approx([80.0, 85.0])
    assert [m["params"] for m in measured] == [2.0, 2.0]


def test_many_records_are_read_in_order(file):
    contents = [b"x" * (n * 7 % 300) + str(n).encode() for n in range(1500)]
    with written(file, contents).open("rb") as opened:
        assert list(read_records(opened)) == contents


@given(contents=st.lists(st.binary(max_size=40), max_size=8))
def test_checksums_agree_with_the_definition(contents):
    assert masked_checksums(contents).tolist() == [checksum(content) for content in contents]


def test_the_checksum_of_the_standard_example():
    """CRC-32C of the digits 1 to 9 is E3069283 (RFC 3720, and every catalogue of such codes)."""
    masked = (0xE3069283 >> 15 | 0xE3069283 << 17) & 0xFFFFFFFF
    assert masked_checksums([b"123456789"]).tolist() == [(masked + 0xA282EAD8) & 0xFFFFFFFF]


@given(at=st.integers(0, 399), bit=st.integers(0, 7))
def test_no_changed_bit_goes_unnoticed(at, bit):
    content = bytearray(framed(b"a" * 200) + framed(b"b" * 168))
    assert len(content) == 400
    content[at] ^= 1 << bit
    with pytest.raises(ValueError, match=r"a checksum is wrong|it ends in the middle|claims to have"):
        list(read_records(io.BytesIO(bytes(content))))


@pytest.mark.parametrize("length", [1, 11, 12, 20, 211, 215])
def test_a_truncated_file_is_refused(length):
    content = framed(b"a" * 200)
    assert len(content) == 216
    with pytest.raises(ValueError, match="it ends in the middle of a record"):
        list(read_records(io.BytesIO(content[:length])))


def test_a_record_without_end_is_not_read():
    length = struct.pack("<Q", MAX_BYTES + 1)
    with pytest.raises(ValueError, match=r"a record claims to have 32,769 bytes"):
        list(read_records(io.BytesIO(length + struct.pack("<I", checksum(length)))))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("damaged", "message"),
    [
        (b"", "a record cannot be read"),
        (b"\xff", "a record cannot be read"),
        (b"[" * 30_000, "a record cannot be read"),
        (b"{}", "a record is not a hash, epochs"),
        (b'["a", 108, "01", "input"]', "a record is not a hash, epochs"),
        (record(0, epochs="108"), "a record is not a hash, epochs"),
        (record(0, epochs=True), "a record is not a hash, epochs"),
        (record(0, epochs=5), "a training has 5 epochs"),
        (record(0, metrics="?"), "a record cannot be read"),
        (record(0, message=b"\x80"), "it ends in the middle of a number"),
        (record(0, message=b"\x80" * 11), "a number has more than 64 bits"),
        (record(0, message=b"\x0a\x7f"), "it ends in the middle of a field"),
        (record(0, message=b"\x0b"), "a field is written in the unknown form 3"),
        (record(0, message=b""), "a network has 0 parameters"),
        (record(0, message=field(1, 5) + field(2, 5)), "a number is where bytes should be"),
        (record(0, message=field(2, b"5")), "bytes are where a number should be"),
        (record(0, message=field(2, 5)), "a training lacks its time or an accuracy"),
        (record(0, message=field(1, b"") + field(2, 5)), "a training lacks its time or an accuracy"),
        (
            record(0, message=field(1, field(2, 1.0) + field(4, 1.0) + field(5, b"x")) + field(2, 5)),
            "1 bytes are where 8",
        ),
        (record(0, message=metrics(valid=float("nan"))), "a training has a valid_acc of nan"),
        (record(0, message=metrics(test=93.0)), "a training has a test_acc of 93"),
        (record(0, message=metrics(seconds=float("inf"))), "a training has a train_time_s of inf"),
        (record(0, message=metrics(params=2**62)), "a network has 4,6"),
        (record(0, matrix="0100"), "the edges of 4 nodes are '0100'"),
        (record(0, matrix="0200" + "0" * 12), "the edges of 4 nodes are"),
        (record(0, matrix="0100" + "1010" + "0001" + "0000"), "an edge leads back"),
        (record(0, matrix="0" * 16), "a cell is not of the space"),
        (record(0, operations="input,output"), "the edges of 2 nodes"),
        (record(0, operations="input"), "a list of operations is"),
        (record(0, operations=f"input,{CONV3},conv5x5,output"), "a list of operations is"),
        (record(0, operations=f"output,{CONV3},{CONV3},input"), "a list of operations is"),
        (record(0, hash="0" * 32), "has another hash"),
        (record(0, hash=name_of(1)), "has another hash"),
        (record(0, matrix="0000" + "0000" + "0000" + "0000"), "a cell is not of the space"),
    ],
)
def test_a_file_with_a_damaged_record_is_refused(file, damaged, message):
    with pytest.raises(DataError, match=message) as refused:
        convert(written(file, [record(2), damaged]))
    assert str(file) in str(refused.value)
    assert str(refused.value).endswith("Get it again from its source.")


def test_what_is_no_file_is_refused(tmp_path):
    with pytest.raises(DataError, match="No such file"):
        convert(tmp_path / "missing.tfrecord")
    with pytest.raises(DataError, match="Is a directory"):
        convert(tmp_path)
    (tmp_path / "empty.tfrecord").write_bytes(b"")
    with pytest.raises(DataError, match="it is empty"):
        convert(tmp_path / "empty.tfrecord")
