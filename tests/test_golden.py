"""The same proposals as at the commit that the golden record names; `make golden` checks them all."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path

import pytest
import torch

from optiproxy import registry
from optiproxy.optimizer import Trial

_SPEC = importlib.util.spec_from_file_location("golden", Path(__file__).parent.parent / "benchmarks" / "golden.py")
golden = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(golden)
GOLDEN = json.loads(golden.GOLDEN.read_text(encoding="utf-8"))
WITHOUT_MODEL = ("random", "regularized-evolution", "local-search")


def proposed(task, algorithm, *, seed, queries):
    """The architectures that one search evaluates, asked for one at a time."""
    search = registry.algorithm(algorithm)(task.space, task.goal, seed=seed)
    trials = []
    for _ in range(queries):
        search.observe(trials)
        (proposal,) = search.propose(1)
        trials.append(Trial(proposal.architecture, task.evaluate(proposal.architecture)))
    return [golden.digest(task.space.values(trial.architecture)) for trial in trials]


def check(task, algorithm, *, seed=0, queries):
    expected = GOLDEN["searches"][f"{task}/{algorithm}/{seed}"].split()
    # The last bits of a matrix product differ between processors, and a proposal may hang on them.
    here = (torch.__version__.partition("+")[0], torch.backends.cpu.get_cpu_capability())
    if algorithm not in WITHOUT_MODEL and here != (GOLDEN["torch"], GOLDEN["cpu"]):
        pytest.skip(f"recorded with torch {GOLDEN['torch']} on {GOLDEN['cpu']}, and this is {' on '.join(here)}")
    assert proposed(registry.task(task), algorithm, seed=seed, queries=queries) == expected[:queries]


@pytest.mark.parametrize("algorithm", ["random", "regularized-evolution", "local-search", "nas-bowl", "optuna-tpe"])
def test_baselines_propose_what_they_did(algorithm):
    check("digits-table", algorithm, queries=30)


@pytest.mark.slow
@pytest.mark.parametrize(("algorithm", "queries"), [("optiproxy", 20), ("optiproxy-published", 21), ("bananas", 21)])
def test_methods_with_a_predictor_propose_what_they_did(algorithm, queries):
    check("digits-table", algorithm, queries=queries)


@pytest.mark.slow
@pytest.mark.parametrize(
    "task", ["hwnasbench-pixel3-4ms", "nasbench101-cifar10", "nasbench301-cifar10", "nasbench-nlp-wikitext2"]
)
@pytest.mark.usefixtures("data_folder")
def test_optiproxy_proposes_what_it_did_on_every_kind_of_space(task):
    check(task, "optiproxy", queries=8)
