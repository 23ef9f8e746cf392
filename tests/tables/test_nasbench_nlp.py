from __future__ import annotations

import io
import json
import pickle
import zipfile

import numpy as np
import pytest

from optiproxy.errors import DataError, UsageError
from optiproxy.spaces.published.recurrent import RecurrentSpace
from optiproxy.spaces.published.recurrent_cell import from_recipe, to_recipe
from optiproxy.spaces.published.recurrent_relations import canonical_cell
from optiproxy.tables.convert.nasbench_nlp import CURVES, EPOCHS, convert
from optiproxy.tables.nasbench_nlp import DATA, PARAMETERS, VALIDATION, nasbench_nlp_task, trainings
from optiproxy.tables.nasbench_nlp_surrogate import (
    features,
    nasbench_nlp_surrogate_task,
    parameters,
    regression,
)
from optiproxy.tables.store import datasets
from optiproxy.tables.store.files import arrays_digest, read_arrays
from optiproxy.testing import TaskConformance

FILE = "nbnlp_wikitext2_logs.zip"
RNN = '{"f": {"op": "linear", "input": ["x", "h_prev_0"]}, "h_new_0": {"op": "activation_tanh", "input": ["f"]}}'
SPACE = RecurrentSpace()


@pytest.fixture(scope="module")
def table(data_folder):
    return read_arrays(data_folder / f"{DATA}.npz", remedy="")


@pytest.fixture(scope="module")
def pool(data_folder):
    return nasbench_nlp_task()


@pytest.fixture(scope="module")
def surrogate(data_folder):
    return nasbench_nlp_surrogate_task()


class TestPool(TaskConformance):
    @pytest.fixture(scope="class")
    @classmethod
    def task(cls, data_folder):
        return nasbench_nlp_task()


@pytest.mark.slow
class TestSurrogate(TaskConformance):
    @pytest.fixture(scope="class")
    @classmethod
    def task(cls, data_folder):
        return nasbench_nlp_surrogate_task()


# The published cells


def test_all_published_recipes_are_read_and_written(table):
    recipes = set(table["recepie_json"].tolist())
    assert len(recipes) == 291
    cells = {recipe: from_recipe(recipe) for recipe in recipes}
    for recipe, cell in cells.items():
        assert len(cell.nodes) == len(json.loads(recipe))
        assert canonical_cell(from_recipe(to_recipe(cell))) == canonical_cell(cell)
        assert canonical_cell(SPACE.cell(SPACE.architecture_of(cell))) == canonical_cell(cell)
    assert max(len(cell.nodes) for cell in cells.values()) == 15
    assert {len(cell.hidden) for cell in cells.values()} == {1, 2, 3}


def test_isomorphic_cells_were_trained_to_the_same_loss(table):
    """Training noise is an independent witness: recipes of one network differ by far less than networks do."""
    losses = {}
    for recipe, status, curve in zip(table["recepie_json"].tolist(), table["status"], table["val_losses"], strict=True):
        if status == "OK":
            losses.setdefault(canonical_cell(from_recipe(recipe)), {}).setdefault(recipe, []).append(curve.min())
    assert len(losses) == 263
    means = {cell: [float(np.mean(runs)) for runs in recipes.values()] for cell, recipes in losses.items()}
    assert sum(map(len, means.values())) == 289
    within = [np.ptp(values) for values in means.values() if len(values) > 1]
    assert len(within) == 13
    assert np.median(within) < 0.02
    assert max(within) < 0.2
    assert np.std([np.mean(values) for values in means.values()]) > 0.5


def test_parameters_are_counted_as_published(table):
    for recipe, published in zip(table["recepie_json"].tolist(), table["num_params"].tolist(), strict=True):
        assert parameters(from_recipe(recipe)) == published


# The pool


def test_the_pool_is_what_was_trained_to_the_end(pool):
    assert pool.space.size == 263
    assert pool.fidelities == tuple(range(1, 51))
    assert [m.name for m in pool.metrics] == ["val_loss", "test_loss", "training_seconds", "params"]
    assert {m.name for m in pool.metrics if m.reported_only} == {"test_loss"}
    assert {m.name for m in pool.metrics if m.free} == {"params"}
    assert pool.isolated is False


def test_the_best_cell_is_the_lstm(pool, table):
    """Read off the table by hand: run 1, recipe 1000001, lowest validation loss 4.5676 after epoch 49."""
    best = min(pool.space.everything(), key=lambda a: pool.evaluate(a)["val_loss"])
    assert table["recepie_id"][1] == 1_000_001
    assert pool.evaluate(best)["val_loss"] == pool.optimum == pytest.approx(4.567582, abs=1e-6)
    assert best == SPACE.canonical(SPACE.architecture_of(from_recipe(str(table["recepie_json"][1]))))
    epoch = int(table["val_losses"][1].argmin())
    metrics = pool.evaluate(best)
    assert metrics["test_loss"] == pytest.approx(float(table["test_losses"][1, epoch]), abs=1e-6)
    assert metrics["training_seconds"] == pytest.approx(float(table["wall_times"][1].sum()), rel=1e-5)
    assert metrics["params"] == table["num_params"][1] / 1e6


def test_networks_that_were_trained_several_times_have_the_mean(pool, table):
    network = canonical_cell(from_recipe(RNN))
    rows = [
        i
        for i, (recipe, status) in enumerate(zip(table["recepie_json"].tolist(), table["status"], strict=True))
        if status == "OK" and canonical_cell(from_recipe(recipe)) == network
    ]
    assert len(rows) > 1
    found = pool.evaluate(SPACE.canonical(SPACE.architecture_of(network)))
    assert found["val_loss"] == pytest.approx(np.mean([table["val_losses"][i].min() for i in rows]), abs=1e-6)


def test_a_lower_fidelity_is_the_best_so_far(pool):
    for architecture in list(pool.space.everything())[::20]:
        curve = [pool.evaluate(architecture, fidelity=e) for e in pool.fidelities]
        losses = [metrics["val_loss"] for metrics in curve]
        assert losses == sorted(losses, reverse=True)
        seconds = [metrics["training_seconds"] for metrics in curve]
        assert seconds == sorted(seconds)
        assert pool.evaluate(architecture) == curve[-1]
    with pytest.raises(UsageError):
        pool.evaluate(architecture, fidelity=51)


def test_cells_that_were_not_trained_have_no_value(pool):
    other = next(a for a in SPACE.sample(np.random.default_rng(0), 50) if not pool.space.is_valid(a))
    with pytest.raises(UsageError):
        pool.evaluate(other)


def test_missing_data_says_how_to_get_it(tmp_path, monkeypatch):
    monkeypatch.setenv("OPTIPROXY_DATA", str(tmp_path))
    for factory in (nasbench_nlp_task, nasbench_nlp_surrogate_task):
        with pytest.raises(DataError, match=f"optiproxy data fetch {DATA}"):
            factory()


# The surrogate


@pytest.mark.slow
def test_the_surrogate_is_labelled_as_ours_with_its_cross_validated_correlation(surrogate):
    from scipy.stats import spearmanr
    from sklearn.model_selection import KFold, cross_val_predict

    trained = trainings()
    described = np.stack([features(SPACE.cell(tuple(row))) for row in trained.architectures.tolist()])
    losses = trained.columns[VALIDATION][:, -1]
    predicted = cross_val_predict(regression(), described, losses, cv=KFold(10, shuffle=True, random_state=0))
    assert spearmanr(predicted, losses).statistic == pytest.approx(0.76, abs=0.03)
    assert "0.76" in surrogate.source.description
    assert "optiproxy's own" in surrogate.source.description


def test_the_surrogate_values_every_cell_alike_in_every_form(surrogate):
    for architecture in SPACE.sample(np.random.default_rng(2), 20):
        same = surrogate.evaluate(SPACE.canonical(architecture))
        assert surrogate.evaluate(architecture) == same
        assert 4.0 < same["val_loss"] < 8.0
        assert same["params"] == parameters(SPACE.cell(architecture)) / 1e6


def test_the_surrogate_is_the_forest_and_the_same_each_time(surrogate):
    architectures = SPACE.sample(np.random.default_rng(3), 30)
    values = [surrogate.evaluate(a)["val_loss"] for a in architectures]
    forest = surrogate._regression.predict(np.stack([features(SPACE.cell(a)) for a in architectures]))
    assert values == pytest.approx(forest.tolist(), abs=1e-9)
    assert len({round(value, 6) for value in values}) > 20
    again = pickle.loads(pickle.dumps(surrogate))
    fresh = nasbench_nlp_surrogate_task()
    assert [again.evaluate(a)["val_loss"] for a in architectures] == values
    assert [fresh.evaluate(a)["val_loss"] for a in architectures] == values


def test_the_surrogate_follows_what_was_trained(surrogate, pool):
    members = list(pool.space.everything())
    expected = [surrogate.evaluate(a)["val_loss"] for a in members]
    measured = [pool.evaluate(a)["val_loss"] for a in members]
    assert np.corrcoef(expected, measured)[0, 1] > 0.9
    assert [m.name for m in surrogate.metrics] == [VALIDATION.name, PARAMETERS.name]


def test_the_surrogate_refuses_what_is_no_cell(surrogate):
    with pytest.raises(UsageError):
        surrogate.evaluate((0,) * 64)
    with pytest.raises(UsageError):
        surrogate.evaluate(SPACE.sample(np.random.default_rng(0), 1)[0], fidelity=10)


# The archive of logs


def test_the_published_archive_converts_to_the_independent_conversion(raw_folder, table):
    arrays = convert({FILE: (raw_folder / FILE).read_bytes()})
    assert set(arrays) == set(table)
    for name, array in arrays.items():
        assert array.dtype == table[name].dtype
        np.testing.assert_array_equal(array, table[name], strict=True)
    assert arrays_digest(arrays) == datasets.DATASETS[DATA].digest


def _log(**changes):
    curve = [7.0 - 0.01 * epoch for epoch in range(EPOCHS)]
    log = {"recepie_id": 1, "recepie": RNN, "num_params": 15_066_078, "status": "OK", **dict.fromkeys(CURVES, curve)}
    return json.dumps({**log, **changes})


def _archive(*contents):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for n, content in enumerate(contents):
            archive.writestr(f"log_{n}.json", content)
    return {FILE: file.getvalue()}


def test_runs_that_failed_end_early():
    short = [7.0, float("nan")]
    arrays = convert(_archive(_log(), _log(status="loss is nan!", **dict.fromkeys(CURVES, short))))
    assert arrays["status"].tolist() == ["OK", "loss is nan!"]
    assert np.isfinite(arrays["val_losses"]).sum(axis=1).tolist() == [EPOCHS, 1]
    assert arrays["val_losses"].dtype == np.float32


def test_names_in_the_archive_are_never_paths(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("../../escaped.json", _log())
        archive.writestr("/absolute.json", _log())
    assert len(convert({FILE: file.getvalue()})["status"]) == 2
    assert list(tmp_path.rglob("*")) == []
    assert not (tmp_path.parent.parent / "escaped.json").exists()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "to be JSON"),
        ("{", "to be JSON"),
        ("[" * 40_000, "to be JSON"),
        ("\udcff".encode("utf-8", "surrogateescape"), "to be JSON"),
        ("null", "recepie_id"),
        ("[]", "recepie_id"),
        (_log(recepie_id="1"), "recepie_id"),
        (_log(num_params=-1), "num_params"),
        (_log(num_params=2**63), "num_params"),
        (_log(num_params=True), "num_params"),
        (_log(num_params=1.5), "num_params"),
        (_log(status=None), "status"),
        (_log(recepie="x" * 3_000), "recepie"),
        (_log(recepie="{}"), "its recipe is none"),
        (_log(recepie='{"a":' * 390), "its recipe is none"),
        (_log(recepie=RNN.replace('"f"]', '"h_new_0"]')), "cycle"),
        (_log(val_losses=7.0), "val_losses"),
        (_log(val_losses=["7.0"] * EPOCHS), "val_losses"),
        (_log(val_losses=[[7.0]] * EPOCHS), "val_losses"),
        (_log(val_losses=[7.0] * 49), "epochs"),
        (_log(**dict.fromkeys(CURVES, [7.0] * 51)), "epochs"),
        (_log(**dict.fromkeys(CURVES, [7.0] * 49)), "epochs"),
        (_log(note=" " * 60_000), "would expand"),
        ("0" * 10_000_000, "would expand"),
    ],
)
def test_logs_that_are_none_are_refused(content, message):
    with pytest.raises(DataError, match=message) as caught:
        convert(_archive(_log(), content))
    assert len(str(caught.value)) < 900


def test_archives_that_are_none_are_refused():
    whole = _archive(_log())[FILE]
    for content in (b"", b"PK", whole[:-30], whole.replace(b"log_0", b"log_1", 1), b"\0" * 1000):
        with pytest.raises(DataError):
            convert({FILE: content})
    with pytest.raises(DataError, match=f"Expected the file {FILE}"):
        convert({})
    with pytest.raises(DataError, match="1 to 1000 logs"):
        convert(_archive())
    with pytest.raises(DataError, match="1 to 1000 logs"):
        convert(_archive(*["{}"] * 1001))


def test_an_archive_that_lies_about_its_sizes_is_refused():
    """The stated size of a large member is made small: no more than that is read, and its checksum then fails."""
    small, large = len(_log()), len(_log(note=" " * 40_000))
    content = _archive(_log(note=" " * 40_000))[FILE]
    lying = content.replace(large.to_bytes(4, "little"), small.to_bytes(4, "little"))
    assert lying != content
    with pytest.raises(DataError, match="zip archive"):
        convert({FILE: lying})
