"""Do every fault to a search, and print what was lost.

    python benchmarks/faults [--short] [--keep FILE] [NAME]...

Each name stands for the rows that hold it; without any, all. ``--short`` does each fault a twentieth as often; ``--keep`` writes
the table, with command, commit and date, as JSON.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rows import ROWS, cleared

COLUMNS = (
    "count",
    "returned",
    "stored",
    "trials lost",
    "returned but lost",
    "duplicates",
    "budget missed",
    "processes left",
)


def measured(name: str, count: int) -> dict[str, Any]:
    """One row."""
    fault, start = ROWS[name][0], time.monotonic()
    with tempfile.TemporaryDirectory(prefix="faults-") as folder:
        attacked = fault(cleared(Path(folder) / "run"), count)
        return attacked.row(name, count, time.monotonic() - start)


def shown(row: dict[str, Any]) -> str:
    """One line."""
    return f"{row['fault']:<32}" + "".join(f"{row[column]:>{len(column) + 3}}" for column in COLUMNS)


def main() -> None:
    """Print one line per row, as soon as it is known."""
    parser = argparse.ArgumentParser(description="What faults cost a search.")
    parser.add_argument("names", nargs="*")
    parser.add_argument("--short", action="store_true")
    parser.add_argument("--keep", type=Path)
    arguments = parser.parse_args()
    names = [name for name in ROWS if not arguments.names or any(part in name for part in arguments.names)]
    print(f"{'fault':<32}" + "".join(f"   {column}" for column in COLUMNS), flush=True)
    rows = []
    for name in names:
        count = ROWS[name][1]
        rows.append(measured(name, max(count // 20, 1) if arguments.short else count))
        print(shown(rows[-1]), flush=True)
    if arguments.keep:
        commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=True)  # noqa: S607
        content = {
            "command": f"python benchmarks/faults {' '.join(sys.argv[1:])}",
            "commit": commit.stdout.strip(),
            "date": datetime.now(UTC).date().isoformat(),
            "rows": rows,
        }
        arguments.keep.parent.mkdir(parents=True, exist_ok=True)
        arguments.keep.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
