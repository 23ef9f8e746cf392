from __future__ import annotations

import json

import pytest

TABLE = "nasbench201-cifar10"


@pytest.mark.slow
def test_a_table_is_profiled_under_a_limit(optiproxy):
    result = optiproxy("profile", TABLE, "--limit", "params<=0.3", "--budget", 50)
    assert result.exit_code == 0, result.stderr
    assert f"{TABLE}, nasbench201: 15,625 combinations of 6 decisions" in result.stdout
    assert "Within the limits: " in result.stdout
    assert "latency_ms: " in result.stdout
    assert "50 queries take about" in result.stdout
    assert "█" in result.stdout


@pytest.mark.slow
def test_programs_read_json_and_the_same_seed_gives_the_same(optiproxy):
    first, again = (
        json.loads(optiproxy("profile", TABLE, "--limit", "params<=0.3", "--json", "--seed", 1).stdout) for _ in "ab"
    )
    for timed in ("seconds_per_measurement", "training_seconds", "total_seconds"):
        assert first.pop(timed) > 0
        again.pop(timed)
    assert first == again
    assert 0 < first["feasible"]["share"] < 1


def test_a_limit_that_leaves_nothing_is_no_error_but_a_caution(optiproxy):
    result = optiproxy("profile", TABLE, "--limit", "params<=0.01")
    assert result.exit_code == 0
    assert "Caution: The limits params<=0.01 leave nothing" in result.stdout


@pytest.mark.parametrize(("name", "size"), [("nasbench201", "15,625"), ("nasbench101", "509,607,936"), ("darts", "e")])
def test_published_spaces_are_profiled_by_name(optiproxy, name, size):
    result = optiproxy("profile", name, "--samples", 5, "--seconds", 3600, "--budget", 48)
    assert result.exit_code == 0, result.stderr
    assert size in result.stdout.splitlines()[0]
    assert "48 queries take about 2.0 days" in result.stdout


def test_a_space_of_ones_own_is_found_in_the_folder(optiproxy, tmp_path):
    (tmp_path / "own_space_of_this_test.py").write_text("choices = {'width': [1, 2], 'depth': [1, 2, 3]}\nwrong = 7\n")
    result = optiproxy("profile", "own_space_of_this_test:choices")
    assert "6 combinations of 2 decisions" in result.stdout
    for name, told in {"wrong": "got int", "missing": "has no attribute"}.items():
        refused = optiproxy("profile", f"own_space_of_this_test:{name}")
        assert refused.exit_code == 2
        assert told in refused.stderr


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["digts"], "Unknown task or space 'digts'. Did you mean 'digits'?"),
        ([TABLE, "--budget", "0"], "Expected a whole number from 1 to 2**63 - 1 as budget, got 0."),
        ([TABLE, "--limit", "speed<=1"], "Unknown metric 'speed'"),
        ([TABLE, "--free", "val_accuracy"], "known only after training"),
    ],
)
def test_bad_usage_is_told(optiproxy, arguments, told):
    result = optiproxy("profile", *arguments)
    assert result.exit_code == 2
    assert told in result.stderr


def test_a_space_of_numbers_of_ones_own_is_profiled(optiproxy, tmp_path):
    (tmp_path / "numbers_of_this_test.py").write_text(
        "import optiproxy\nchoices = {'rate': optiproxy.Float(1e-4, 0.1, log=True), 'act': ['relu', 'gelu']}\n"
    )
    result = optiproxy("profile", "numbers_of_this_test:choices")
    assert result.exit_code == 0, result.stderr
    assert "flat: 2 decisions, 1 of them continuous." in result.stdout
