"""The README's figures are those of the committed results."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
ROWS = {
    "CIFAR-10 (100)": ("nasbench201-100", "nasbench201-cifar10"),
    "CIFAR-100 (100)": ("nasbench201-100", "nasbench201-cifar100"),
    "ImageNet16-120 (200)": ("nasbench201-200", "nasbench201-imagenet16"),
}


def table_rows():
    """(title, algorithm, remaining cells) of each row of the README's table; a title holds until the next."""
    title = ""
    for line in (ROOT / "README.md").read_text().splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if line.startswith("|") and len(cells) == 7 and cells[1] in {"optiproxy", "regularized evolution", "random"}:
            title = cells[0] or title
            yield title, cells[1], cells[2:]


def test_the_table_has_every_task_and_algorithm():
    assert [(title, name) for title, name, _ in table_rows()] == [
        (title, name) for title in ROWS for name in ("optiproxy", "regularized evolution", "random")
    ]


@pytest.mark.parametrize("row", list(table_rows()), ids=lambda row: f"{row[0]}-{row[1]}")
def test_a_row_equals_the_results(row):
    title, name, (met, median, mean, validation, test) = row
    folder, task = ROWS[title]
    summary = json.loads((ROOT / "results" / folder / "summary.json").read_text())[task][name.replace(" ", "-")]
    assert met == f"{100 * summary['hit_rate']:.0f} %"
    assert float(median) == summary["queries_to_optimum_median"]
    assert float(mean) == pytest.approx(summary["queries_to_optimum_mean"], abs=0.051)
    assert validation == f"{summary['best_mean']:.2f} ± {summary['best_std']:.2f}"
    assert float(test) == pytest.approx(summary["test_mean"], abs=0.0051)
