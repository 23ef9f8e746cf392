"""The files about a finished comparison.

DIR/results.csv       one row per task, algorithm, seed and query
DIR/summary.json      {task: {algorithm: figures}}, see `optiproxy.comparing.statistics.Summary`
DIR/statistics.json   what holds between algorithms, see `optiproxy.comparing.findings.Findings`
"""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

from optiproxy.comparing.comparison import Comparison
from optiproxy.comparing.findings import Findings
from optiproxy.comparing.rows import table
from optiproxy.errors import UsageError

RESULTS, SUMMARY, STATISTICS = "results.csv", "summary.json", "statistics.json"


def publish_results(comparison: Comparison, folder: Path) -> None:
    """Write ``results.csv``."""
    replace(folder / RESULTS, table(comparison.outcomes))


def publish_figures(comparison: Comparison, findings: Findings, folder: Path) -> None:
    """Write ``summary.json`` and ``statistics.json``.

    Raises:
        UsageError: If the folder cannot be written.
    """
    figures = {task: {name: asdict(entry) for name, entry in row.items()} for task, row in comparison.summaries.items()}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        replace(folder / SUMMARY, json.dumps(figures, indent=2, allow_nan=False) + "\n")
        replace(folder / STATISTICS, json.dumps(asdict(findings), indent=2, allow_nan=False) + "\n")
    except OSError as error:
        raise UsageError(f"Cannot write {folder}: {error.strerror or error}. Choose another folder.") from error


def replace(path: Path, text: str) -> None:
    """Write a whole file at once, so that no reader meets half of it."""
    draft = path.with_name(f".{path.name}.draft")
    draft.write_text(text, encoding="utf-8")
    draft.replace(path)
