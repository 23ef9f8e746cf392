"""The README's figures are those of the committed results."""

from __future__ import annotations

import importlib.util
from pathlib import Path

ROOT = Path(__file__).parent.parent


def printed_tables():
    spec = importlib.util.spec_from_file_location("readme_tables", ROOT / "benchmarks" / "readme_tables.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return [module.ranks()], module.rivals_table(), module.statement(), module.cells_table(), module.other_table()


def test_the_tables_are_those_of_the_results():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    for table in printed_tables():
        assert "\n".join(table) in readme, (
            "run `python benchmarks/readme_tables.py` and put what it prints into the README"
        )
