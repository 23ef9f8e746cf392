"""What the README and the pages say is so: figures, links, names, the example and the commands."""

from __future__ import annotations

import importlib.util
import itertools
import re
import runpy
import shlex
from pathlib import Path
from pkgutil import resolve_name
from urllib.parse import unquote

import pytest
import typer.main
from torch import nn

from optiproxy import registry
from optiproxy.cli.main import app

ROOT = Path(__file__).parent.parent
README = ROOT / "README.md"
RESULTS = ROOT / "docs" / "results.md"
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), ROOT / "results" / "README.md"])

each_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))


@pytest.fixture(scope="module")
def tables():
    spec = importlib.util.spec_from_file_location("readme_tables", ROOT / "benchmarks" / "readme_tables.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def read(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def blocks(page: Path, language: str) -> list[str]:
    """The code of a page."""
    return re.findall(rf"^```{language}\n(.*?)^```$", read(page), re.MULTILINE | re.DOTALL)


def prose(page: Path) -> str:
    """A page without its code."""
    return re.sub(r"^```.*?^```$|`[^`\n]*`", "", read(page), flags=re.MULTILINE | re.DOTALL)


def anchors(page: Path) -> set[str]:
    """The anchors of the headings of a page, as GitHub makes them."""
    headings = re.findall(
        r"^#+ (.*)$", re.sub(r"^```.*?^```$", "", read(page), flags=re.MULTILINE | re.DOTALL), re.MULTILINE
    )
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize(("page", "held"), [(README, "readme"), (RESULTS, "results")], ids=["readme", "results"])
def test_the_tables_are_those_of_the_results(tables, page, held):
    for table in getattr(tables, held)():
        # Whole: an old row that a table no longer has must not stay behind it.
        assert "\n\n" + "\n".join(table) + "\n\n" in read(page), (
            f"run `python benchmarks/readme_tables.py` and put what it prints into {page.name}"
        )


def test_the_number_of_rivals_is_that_of_the_table(tables):
    (told,) = re.findall(r"against (\d+) other algorithms", read(README))
    assert int(told) == len([row for row in tables.rivals_table() if row.startswith("| `")]) - 1


@each_page
def test_every_link_leads_somewhere(page):
    for target in re.findall(r"\]\(([^)\s]+)\)", prose(page)):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = unquote(target).partition("#")
        linked = page.parent / path if path else page
        assert linked.exists(), target
        assert not anchor or anchor in anchors(linked), target


def test_every_page_is_linked_from_the_readme_or_from_a_page_that_is():
    reached, found = set(), [README]
    while found:
        page = found.pop()
        if page in reached:
            continue
        reached.add(page)
        found += [(page.parent / target).resolve() for target in re.findall(r"\]\(([^)#\s]+\.md)", prose(page))]
    assert reached == set(PAGES)


def expanded(name: str) -> set[str]:
    """All names that a name with braces stands for, as in a shell."""
    parts = [part.split(",") for part in re.split(r"[{}]", name)]
    return {"".join(chosen) for chosen in itertools.product(*parts)}


def test_the_page_of_tasks_names_every_task():
    rows = [line.split("|")[1] for line in read(ROOT / "docs" / "tasks.md").splitlines() if line.startswith("| `")]
    named = set().union(*(expanded(name) for row in rows for name in re.findall(r"`([^`]+)`", row)))
    assert named == {entry.name for entry in registry.tasks() if not getattr(entry, "package", "")}


def test_the_example_of_the_readme_runs():
    (code,) = blocks(README, "python")

    def train(network: nn.Module) -> float:
        return sum(isinstance(module, nn.Conv2d) for module in network.modules())

    names = {"train": train}
    # Few queries; everything else is as it stands.
    exec(code.replace("budget=20", "budget=4, algorithm='random'"), names)
    found = names["result"]
    assert len(found.records) == 4
    assert all(record.metrics["params"] <= 20000 for record in found.records)
    assert isinstance(names["network"], nn.Sequential)


COMMANDS = sorted(
    {
        (page.relative_to(ROOT).as_posix(), line.partition("  #")[0].strip())
        for page in PAGES
        for block in blocks(page, "console")
        for line in block.splitlines()
        if line.startswith("optiproxy ")
    }
)


@pytest.mark.parametrize(("page", "line"), COMMANDS, ids=[f"{page}: {line}" for page, line in COMMANDS])
def test_every_command_has_these_arguments(page, line):
    """Parsed, not run."""
    words = shlex.split(line)[1:]
    command = typer.main.get_command(app)
    context = None
    while hasattr(command, "commands"):
        name = words.pop(0)
        command = command.commands[name]
        context = None
    command.make_context(name, words, parent=context)


def marked(page: Path) -> list[str]:
    """What stands between code marks in the sentences and tables of a page."""
    return re.findall(r"`([^`\n]+)`", re.sub(r"^```.*?^```$", "", read(page), flags=re.MULTILINE | re.DOTALL))


@each_page
def test_what_make_is_asked_for_is_a_target(page):
    targets = re.findall(r"^([a-z-]+):", read(ROOT / "Makefile"), re.MULTILINE)
    for code in marked(page):
        if found := re.fullmatch(r"make ([a-z-]+)", code):
            assert found[1] in targets, code


# What has changed names what is no more.
@pytest.mark.parametrize("page", [page for page in PAGES if page.name != "CHANGELOG.md"], ids=lambda page: page.stem)
def test_every_path_and_every_name_of_the_package_exists(page):
    for code in marked(page):
        if re.fullmatch(r"(src|tests|docs|benchmarks|examples|results)/[\w/.-]+", code):
            assert (ROOT / code).exists(), code
        elif re.fullmatch(r"\w+/[\w/]+\.py", code):
            assert (ROOT / "src" / "optiproxy" / code).exists(), code
        elif re.fullmatch(r"optiproxy(\.\w+)+", code) and not re.fullmatch(
            r"optiproxy\.(algorithms|tasks|spaces)", code
        ):
            resolve_name(code)


def test_the_reference_is_what_the_docstrings_say():
    """`make reference` writes it anew."""
    made = runpy.run_path(str(ROOT / "benchmarks" / "reference.py"))
    assert made["PAGE"].read_text(encoding="utf-8") == made["page"]()
