"""docs/extending.md: the files that it shows are those of the package, and what it tells to run runs."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

HERE = Path(__file__).parent
PAGE = HERE.parent.parent / "docs" / "extending.md"
PACKAGE = HERE / "optiproxy_example"

SECTIONS = dict(
    re.findall(r"^## ([^\n]+)\n(.*?)(?=^## |\Z)", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
)
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
FILES = {path.name: path.read_text(encoding="utf-8") for path in PACKAGE.rglob("*") if path.suffix in (".py", ".toml")}


def shown(section: str) -> dict[str, str]:
    """File -> what the page shows of it: the block after the sentence that ends with its name."""
    found = re.findall(r"`([\w/]+\.\w+)`:\n\n```\w+\n(.*?)^```$", SECTIONS[section], re.MULTILINE | re.DOTALL)
    return {name.rpartition("/")[2]: code for name, code in found}


def test_the_page_shows_every_file_of_the_package():
    everything = {name: code for section in SECTIONS for name, code in shown(section).items()}
    assert everything == {name: code for name, code in FILES.items() if name != "__init__.py"}


@pytest.mark.slow
@pytest.mark.parametrize("section", SECTIONS)
def test_what_the_page_tells_to_run_runs(optiproxy, section):
    for language, code in BLOCK.findall(SECTIONS[section]):
        if language == "console":
            for line in code.splitlines():
                program, *arguments = shlex.split(line)
                assert program == "optiproxy"
                done = optiproxy(*arguments)
                assert done.exit_code == 0, f"{line}\n{done.output}"
        elif language == "python" and code not in FILES.values():
            names: dict[str, object] = {}
            # What the sections above it have imported.
            exec("import optiproxy\nfrom optiproxy_example.task import StackTask\n" + code, names)
            if "result" in names:
                assert names["result"].best is not None
