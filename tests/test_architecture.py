"""docs/architecture.md against the code: its rooms, its figure, the way of one query, and the parts of the method."""

from __future__ import annotations

import ast
import functools
import importlib
import importlib.util
import inspect
import os
import re
import sys
import tomllib
from pathlib import Path
from typing import NamedTuple

import pytest
from optuna.study import Study
from typer.testing import CliRunner

import optiproxy
from optiproxy import optimizer
from optiproxy.cli.main import app
from optiproxy.metrics import Goal, Objective
from optiproxy.optimizer import OptiProxy
from optiproxy.optimizer.paper import published
from optiproxy.proxy import targets
from optiproxy.spaces import FlatSpace

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "architecture.md"
PACKAGE = Path(optiproxy.__file__).parent
READING = "Study.get_trials"
ASK, TELL = "searching.phases.Exploration.ask", "storage.log.QueryLog.tell"


@pytest.fixture(scope="module")
def figure():
    spec = importlib.util.spec_from_file_location("figure", ROOT / "benchmarks" / "architecture_figure.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def code(language):
    """The code of the page, in order."""
    return re.findall(rf"^```{language}\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


def contract():
    """The layers that import-linter checks: rooms, and whether those of one layer know each other."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    layers = settings["tool"]["importlinter"]["contracts"][0]["layers"]
    return [re.split(r"\s*[|:]\s*", layer) for layer in layers]


def rooms_within(folder):
    return {path.parent.name for path in folder.glob("*/__init__.py")}


def test_the_rooms_are_those_of_the_package(figure):
    named = [room for _, room, *_ in figure.cells("Rooms")]
    files = {path.stem for path in PACKAGE.glob("*.py") if path.name != "__init__.py"}
    assert len(named) == len(set(named))
    assert set(named) == rooms_within(PACKAGE) | files


def test_the_layers_are_those_that_are_checked(figure):
    assert figure.layers() == contract()
    assert [int(layer) for layer, *_ in figure.cells("Rooms")] == [
        i for i, layer in enumerate(contract(), start=1) for _ in layer
    ]


def test_each_room_has_one_sentence_and_names_the_rooms_within(figure):
    for _, room, sentence, within in figure.cells("Rooms"):
        assert re.fullmatch(r"[^.]*(\.\w+[^.]*)*\.", sentence), sentence
        assert set(filter(None, within.split(", "))) == rooms_within(PACKAGE / room)


def test_each_folder_says_what_lives_there():
    for path in PACKAGE.rglob("__init__.py"):
        docstring = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
        assert len(docstring.split()) > 5, f"{path} should say what lives there and in which order to read it"


def test_the_figure_is_drawn_from_the_page(figure):
    assert figure.FIGURE.read_text(encoding="utf-8") == figure.drawn(), "run `python benchmarks/architecture_figure.py`"


def named(dotted):
    """The function of a dotted name within the package."""
    module, rest = "optiproxy", dotted.split(".")
    while importlib.util.find_spec(f"{module}.{rest[0]}") is not None:
        module += f".{rest.pop(0)}"
        if not hasattr(sys.modules.get(module) or importlib.import_module(module), "__path__"):
            break
    found = importlib.import_module(module)
    for name in rest:
        found = inspect.getattr_static(found, name)
    return found


class Call(NamedTuple):
    name: str
    depth: int
    """Calls of the package that it is below."""


@functools.cache
def called(code):
    """The name of a call of the package, or of a reading of the study; empty for all others."""
    if code is Study.get_trials.__code__:
        return READING
    if not code.co_filename.startswith(f"{PACKAGE}{os.sep}") or code.co_name.startswith("<"):
        return ""
    module = Path(code.co_filename).relative_to(PACKAGE).with_suffix("").as_posix().replace("/", ".")
    return f"{module}.{code.co_qualname}"


@pytest.fixture(scope="module")
def calls(tmp_path_factory):
    """What a real search calls, in its main thread."""
    run: list[Call] = []
    depth = 0

    def traced(frame, event, _):
        nonlocal depth
        if event not in ("call", "return") or not (name := called(frame.f_code)):
            return
        if event == "call":
            run.append(Call(name, depth))
        depth += 1 if event == "call" else -1

    arguments = ["search", "digits-table", "--budget", "5", "--out", str(tmp_path_factory.mktemp("search"))]
    sys.setprofile(traced)
    try:
        done = CliRunner().invoke(app, arguments)
    finally:
        sys.setprofile(None)
    assert done.exit_code == 0, done.output
    return run


def queries(calls):
    """The calls of each query, from asking to telling."""
    begun = [i for i, call in enumerate(calls) if call.name == ASK]
    ended = [i for i, call in enumerate(calls) if call.name == TELL]
    # The last question is answered by: nothing.
    return [calls[i : j + 1] for i, j in zip(begun, ended, strict=False)]


def is_met(wanted, calls):
    """Whether the calls hold the wanted ones in this order, with others between them."""
    found = iter(call.name for call in calls)
    return all(any(name == met for met in found) for name in wanted)


def test_every_function_on_the_way_exists(figure):
    for _, _, dotted, _ in figure.cells("The way of one query"):
        assert inspect.isfunction(named(dotted)), dotted


@pytest.mark.slow
def test_a_search_takes_the_way_that_the_page_shows(figure, calls):
    way = [dotted for _, _, dotted, _ in figure.cells("The way of one query")]
    assert is_met(way, calls)
    # One and the same query meets all that are said to repeat; the first ones are of the initial design.
    repeated = way[way.index(ASK) : way.index(TELL) + 1]
    assert [is_met(repeated, query) for query in queries(calls)] == [False, False, False, True, True]


@pytest.mark.slow
def test_from_the_loop_to_the_algorithm_it_is_five_calls(calls):
    (loop,) = (call for call in calls if call.name == "searching.loop.spend")
    depths = {call.depth - loop.depth for call in calls if call.name == "optimizer.optiproxy.OptiProxy.propose"}
    assert depths == {5}


@pytest.mark.slow
def test_a_query_reads_the_study_twice(calls):
    assert [sum(call.name == READING for call in query) for query in queries(calls)] == [2] * 5


SPACE = FlatSpace({"depth": [1, 2], "kernel": [3, 5]})
PARTS = re.findall(
    r"^\| `(\w+)`: [^|]*\| `(\w+)` \| `([^|]*)` \| `([^|]*)` \|$", PAGE.read_text(encoding="utf-8"), re.MULTILINE
)


def test_the_parts_are_those_of_the_method():
    parameters = list(inspect.signature(OptiProxy).parameters.values())[3:]
    assert [(part, contract) for part, contract, _, _ in PARTS] == [(p.name, str(p.annotation)) for p in parameters]


@pytest.mark.parametrize(("part", "contract", "default", "paper"), PARTS, ids=[part for part, *_ in PARTS])
def test_a_part_is_what_the_page_says(part, contract, default, paper):
    def made(expression):
        names = {*re.findall(r"\b[A-Z]\w+", expression)} - {"True", "False"}
        parts = {name: getattr(optimizer, name) for name in names if name not in vars(targets)}
        return eval(expression, {**vars(targets), **parts})

    def found(algorithm):
        # What is fitted is held together by the model.
        return getattr(algorithm, f"_{part}", None) or getattr(algorithm._model, part)

    goal = Goal((Objective("accuracy"),))
    assert found(OptiProxy(SPACE, goal, seed=0)) == made(default)
    assert found(published(SPACE, goal, seed=0)) == made(paper)


@pytest.mark.slow
def test_the_variants_run(tmp_path, monkeypatch):
    """The sampler, the search and the command line, as they stand on the page."""
    variants, *snippets = code("python")
    (tmp_path / "my_variants.py").write_text(variants, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    names: dict[str, object] = {}
    for snippet in snippets:
        exec(snippet, names)
    assert len(names["study"].trials) == 8
    assert names["result"].algorithm.startswith("optiproxy(acquisition=")
    (commands,) = code("console")
    for command in commands.splitlines():
        done = CliRunner().invoke(app, command.split()[1:])
        assert done.exit_code == 0, done.output
    assert (tmp_path / "runs" / "patient" / "report.html").exists()
