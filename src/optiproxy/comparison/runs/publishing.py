"""The files about a finished comparison.

DIR/results.csv       one row per task, algorithm, seed and query
DIR/summary.json      {task: {algorithm: figures}}, see `optiproxy.comparison.stats.statistics.Summary`
DIR/statistics.json   what holds between algorithms, see `optiproxy.comparison.stats.findings.Findings`
"""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

from optiproxy.comparison.stats.comparison import Comparison
from optiproxy.comparison.stats.findings import Findings
from optiproxy.comparison.runs.rows import table
from optiproxy.storage import files

RESULTS, SUMMARY, STATISTICS = "results.csv", "summary.json", "statistics.json"


def publish_results(comparison: Comparison, folder: Path) -> None:
    """Write ``results.csv``.

    Raises:
        UsageError: If the folder cannot be written.
    """
    files.write(folder / RESULTS, table(comparison.outcomes))


def publish_figures(comparison: Comparison, findings: Findings, folder: Path) -> None:
    """Write ``summary.json`` and ``statistics.json``.

    Raises:
        UsageError: If the folder cannot be written.
    """
    figures = {task: {name: asdict(entry) for name, entry in row.items()} for task, row in comparison.summaries.items()}
    files.write(folder / SUMMARY, json.dumps(figures, indent=2, allow_nan=False) + "\n")
    files.write(folder / STATISTICS, json.dumps(asdict(findings), indent=2, allow_nan=False) + "\n")
