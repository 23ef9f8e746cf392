"""Copy the evidence of finished comparisons into ``results/``: ``python benchmarks/keep_results.py FOLDER...``.

Of each query's metrics only those that the task's goal reads and the reported test value are kept, so that the files stay
small; all others can be looked up by the architecture.
"""

from __future__ import annotations

import csv
import io
import json
import lzma
import shutil
import sys
from collections import Counter
from pathlib import Path

RESULTS = Path(__file__).parent.parent / "results"


def keep(folder: Path) -> None:
    """Copy ``settings.json``, ``summary.json`` and ``statistics.json``, and the rows compressed."""
    settings = json.loads((folder / "settings.json").read_text(encoding="utf-8"))
    contests = settings["contests"]
    queries: Counter[tuple[str, str, str]] = Counter()
    text = io.StringIO()
    with (folder / "results.csv").open(encoding="utf-8", newline="") as source:
        rows = csv.DictReader(source)
        writer = csv.DictWriter(text, rows.fieldnames or [], lineterminator="\n")
        writer.writeheader()
        for row in rows:
            contest = contests[row["task"]]
            limited = [limit.replace(">=", "<=").partition("<=")[0] for limit in contest["limits"]]
            kept = {contest["objective"].partition(":")[0], contest["test"], *limited}
            metrics = {name: value for name, value in json.loads(row["metrics"]).items() if name in kept}
            writer.writerow({**row, "metrics": json.dumps(metrics)})
            queries[row["task"], row["algorithm"], row["seed"]] += 1
    short = [search for search, n in queries.items() if n < settings["budget"]]
    if short or len(queries) < len(contests) * len(settings["algorithms"]) * settings["seeds"]:
        sys.exit(
            f"Expected {settings['budget']} queries of every search in {folder}, got fewer ({short}). Run it again."
        )
    target = RESULTS / folder.name
    target.mkdir(parents=True, exist_ok=True)
    for name in ("settings.json", "summary.json", "statistics.json"):
        if folder.resolve() != target.resolve() and (folder / name).exists():
            shutil.copyfile(folder / name, target / name)
    content = lzma.compress(text.getvalue().encode(), preset=9)
    (target / "results.csv.xz").write_bytes(content)


if __name__ == "__main__":
    for path in sys.argv[1:]:
        keep(Path(path))
