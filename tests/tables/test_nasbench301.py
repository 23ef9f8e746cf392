"""NAS-Bench-301: the surrogate against the published values and the ONNX file, its conversion, what goes wrong."""

from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import pytest
from scipy.stats import spearmanr

from optiproxy.errors import DataError, UsageError
from optiproxy.spaces.published.darts import DARTS, Genotype, from_genotype
from optiproxy.tables.convert.nasbench301 import convert
from optiproxy.tables.nasbench301 import INPUTS, SurrogateNetwork, categories, nasbench301_task
from optiproxy.tables.store.datasets import dataset, load
from optiproxy.tables.store.files import arrays_digest
from optiproxy.testing import TaskConformance

MODEL, ENCODING = "nb301_new_model.onnx", "nb301_encoding.json"


@pytest.fixture(scope="module", autouse=True)
def _environment(data_folder):
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("OPTIPROXY_DATA", str(data_folder))
        yield


@pytest.fixture(scope="module")
def task():
    return nasbench301_task()


@pytest.fixture(scope="module")
def files(raw_folder):
    return {name: (raw_folder / name).read_bytes() for name in (MODEL, ENCODING)}


@pytest.fixture(scope="module")
def samples():
    return DARTS().sample(np.random.default_rng(0), 100)


@pytest.fixture(scope="module")
def published(data_folder):
    """Architectures with the value of the official surrogate (NAS-Bench-301 v1.0, XGB)."""
    with np.load(data_folder / "nasbench301_reference.npz") as reference:
        operations = reference["op_names"].tolist()
        cells = [
            from_genotype(Genotype(*(tuple((operations[op], source) for source, op in cell) for cell in pair)))
            for pair in reference["cells"].tolist()
        ]
        return cells, reference["valid_accuracy"]


@pytest.mark.slow
class TestConformance(TaskConformance):
    @pytest.fixture(scope="class")
    @classmethod
    def task(cls):
        return nasbench301_task()


def test_the_official_surrogate_ranks_alike(task, published):
    """Ours is a surrogate of the same trainings, 1.2 points higher."""
    architectures, official = published
    accuracy = task.evaluate_all(architectures)["val_accuracy"]
    assert spearmanr(accuracy, official).statistic >= 0.90
    assert np.mean(accuracy - official) == pytest.approx(1.2, abs=0.3)


@pytest.mark.slow
def test_every_input_of_the_network_is_the_right_one(published):
    """With the values of any two inputs exchanged that have the same categories, the ranking gets worse on the whole."""
    architectures, official = published
    network, rows = SurrogateNetwork(load("nasbench301_surrogate")), categories(np.array(architectures))
    right = spearmanr(network(rows, 98)[0], official).statistic
    names = list(INPUTS)
    found = []
    for edge in range(13):
        order = np.arange(len(names))
        order[[edge, edge + 1]] = order[[edge + 1, edge]]
        found.append(spearmanr(network(rows[:, order], 98)[0], official).statistic)
    assert max(found) < right + 0.005
    assert np.mean(found) < right - 0.01


def test_the_network_is_that_of_the_onnx_file(raw_folder, samples):
    onnxruntime = pytest.importorskip("onnxruntime", reason="compares with onnxruntime, which is not installed")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(raw_folder / MODEL, options, providers=["CPUExecutionProvider"])
    network, rows = SurrogateNetwork(load("nasbench301_surrogate")), categories(np.array(samples))
    for epoch in (1, 17, 98):
        inputs = [
            {"x_cat": row[None].astype(np.int32), "x_cont": np.array([[epoch]], dtype=np.float32)} for row in rows
        ]
        expected = np.concatenate([session.run(None, each)[0] for each in inputs])
        accuracy, seconds = network(rows, epoch)
        np.testing.assert_allclose(accuracy, expected[:, 0], rtol=0, atol=1e-3)
        np.testing.assert_allclose(seconds, expected[:, 1], rtol=1e-5, atol=1e-1)


def test_the_task_asks_the_network_for_the_canonical_form_in_full(task, samples):
    network, space = SurrogateNetwork(load("nasbench301_surrogate")), DARTS()
    accuracy, seconds = network(categories(np.array([space.canonical(samples[0])])), 98)
    assert task.evaluate(samples[0]) == {"val_accuracy": accuracy[0], "training_seconds": seconds[0]}
    assert task.evaluate(samples[0], fidelity=98) == task.evaluate(samples[0])


def test_the_same_network_has_one_value(task):
    """Nodes 3 and 4 in the other order."""
    one = Genotype((("skip_connect", 0), ("sep_conv_3x3", 1)) * 4, (("skip_connect", 0), ("max_pool_3x3", 1)) * 4)
    first, second = [("dil_conv_5x5", 0), ("sep_conv_5x5", 2)], [("avg_pool_3x3", 1), ("sep_conv_3x3", 2)]
    forms = [
        from_genotype(Genotype((*one.normal[:2], *nodes, *one.normal[6:]), one.reduce))
        for nodes in ([*first, *second], [*second, *first])
    ]
    assert forms[0] != forms[1]
    assert task.evaluate(forms[0]) == task.evaluate(forms[1])


def test_many_at_once_are_as_one_by_one(task, samples):
    together = task.evaluate_all(samples, fidelity=50)
    for name, values in together.items():
        assert values.shape == (len(samples),)
        one_by_one = [task.evaluate(architecture, fidelity=50)[name] for architecture in samples]
        np.testing.assert_allclose(values, one_by_one, rtol=1e-5)
    assert all(values.shape == (0,) for values in task.evaluate_all([]).values())


def test_predictions_are_plausible(task, samples):
    """Percent and seconds; longer trainings are better, take longer, and rank as the full ones do."""
    assert task.fidelities == tuple(range(1, 99))
    means = []
    full = task.evaluate_all(samples)
    for epoch in (10, 25, 50, 98):
        predicted = task.evaluate_all(samples, fidelity=epoch)
        assert ((predicted["val_accuracy"] > 10) & (predicted["val_accuracy"] < 100)).all()
        means.append((predicted["val_accuracy"].mean(), predicted["training_seconds"].mean()))
        assert spearmanr(predicted["val_accuracy"], full["val_accuracy"]).statistic > 0.8
    assert means == sorted(means)
    assert means[-1][1] > 3600


@pytest.mark.parametrize(
    "architecture",
    [(), (0,) * 21, (0,) * 23, (7, *(0,) * 21), (*(0,) * 21, -1), ("skip_connect", *(0,) * 21), (0.5,) * 22],
)
def test_architectures_outside_the_space_are_refused(task, architecture):
    with pytest.raises(UsageError, match="Expected 22 positions, one in the choices of each decision of darts; got"):
        task.evaluate(architecture)


@pytest.mark.parametrize("fidelity", [0, -1, 99, 1000])
def test_epochs_beyond_those_of_the_benchmark_are_refused(task, samples, fidelity):
    with pytest.raises(UsageError, match=f"got {fidelity}"):
        task.evaluate(samples[0], fidelity=fidelity)


def test_without_the_file_the_message_says_how_to_get_it(monkeypatch, tmp_path):
    monkeypatch.setenv("OPTIPROXY_DATA", str(tmp_path))
    with pytest.raises(DataError, match="optiproxy data fetch nasbench301_surrogate"):
        nasbench301_task()


def test_evaluation_needs_no_torch():
    program = """
import sys
from optiproxy.tables.nasbench301 import nasbench301_task
nasbench301_task().evaluate((0,) * 22)
sys.exit("torch" in sys.modules)
"""
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


def test_the_conversion_is_that_of_others(data_folder, files):
    """Value for value against an independent conversion of the same file."""
    converted = convert(files)
    with np.load(data_folder / "nasbench301_surrogate.npz") as expected:
        assert set(converted) == set(expected)
        for name in expected:
            assert converted[name].dtype == expected[name].dtype
            np.testing.assert_array_equal(converted[name], expected[name])
    assert arrays_digest(converted) == dataset("nasbench301_surrogate").digest


@pytest.mark.parametrize("missing", [MODEL, ENCODING])
def test_both_files_are_needed(files, missing):
    with pytest.raises(DataError, match=f"Expected the file {missing} among .*Fetch them all"):
        convert({name: content for name, content in files.items() if name != missing})


@pytest.mark.parametrize("share", [0.0, 0.001, 0.3, 0.999])
def test_truncated_models_are_refused(files, share):
    content = files[MODEL]
    with pytest.raises(DataError, match="Get the file again"):
        convert({**files, MODEL: content[: int(share * len(content))]})


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"deep.1.1.bias", b"deep.9.1.bias"),
        (b"embds_fct.33.weight", b"embds_fct.34.weight"),
        # Embedding 28, of three pairs of sources, takes the place of embedding 5, of an edge.
        (b"embds_fct.5.weight", b"embds_fct.x.weight"),
    ],
)
def test_models_without_one_of_the_layers_are_refused(files, old, new):
    assert old in files[MODEL]
    with pytest.raises(DataError, match=f"Expected {MODEL} to hold"):
        convert({**files, MODEL: files[MODEL].replace(old, new)})


def test_weights_that_are_no_numbers_are_refused(files, data_folder):
    with np.load(data_folder / "nasbench301_surrogate.npz") as expected:
        weights = expected["deep_1_1_weight"][:4].tobytes()
    content = files[MODEL]
    assert content.count(weights) == 1
    for wrong in (np.nan, np.inf):
        damaged = content.replace(weights, np.float32(wrong).tobytes() + weights[4:])
        with pytest.raises(DataError, match=r"finite .*'deep\.1\.1\.weight'"):
            convert({**files, MODEL: damaged})


@pytest.mark.parametrize(
    "change",
    [
        lambda encoding: {},
        lambda encoding: [encoding],
        lambda encoding: dict(list(encoding.items())[1:]),
        lambda encoding: {**encoding, "one more": {}},
        lambda encoding: dict.fromkeys(encoding, 0),
        lambda encoding: {name: dict.fromkeys(rows, 0) for name, rows in encoding.items()},
        lambda encoding: {name: {**rows, "none": 8} for name, rows in encoding.items()},
    ],
    ids=["empty", "list", "input-missing", "input-more", "numbers", "all-one-row", "category-more"],
)
def test_encodings_of_another_network_are_refused(files, change):
    content = json.dumps(change(json.loads(files[ENCODING]))).encode()
    with pytest.raises(DataError, match=f"in {ENCODING}"):
        convert({**files, ENCODING: content})


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe", b"[" * 1_000_000, b"9" * 10_000], ids=len)
def test_encodings_that_are_no_json_are_refused(files, content):
    with pytest.raises(DataError, match=ENCODING):
        convert({**files, ENCODING: content})
