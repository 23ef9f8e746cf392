"""Hold the proposals of searches against the golden record: `make golden`.

`record` writes the rows of a comparison into tests/golden/proposals.json, `check` compares another comparison with it.
"""

from __future__ import annotations

import csv
import hashlib
import json
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

import torch

GOLDEN = Path(__file__).parent.parent / "tests" / "golden" / "proposals.json"


def digest(architecture: dict[str, object]) -> str:
    """Eight characters that stand for the values of an architecture."""
    return hashlib.sha256(json.dumps(architecture, sort_keys=True).encode()).hexdigest()[:8]


def proposals(rows: Path) -> dict[str, list[str]]:
    """``task/algorithm/seed`` -> a digest for each query, in their order."""
    found: dict[str, list[str]] = defaultdict(list)
    with rows.open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            key = "/".join((row["task"], row["algorithm"], row["seed"]))
            found[key].append(digest(json.loads(row["architecture"])))
    return dict(found)


def main(what: str, *tables: str) -> int:
    """``record`` or ``check``, and the ``results.csv`` of one or more comparisons."""
    found = {key: value for table in tables for key, value in proposals(Path(table)).items()}
    if what == "record":
        git = ["git", "rev-parse", "--short", "HEAD"]
        commit = subprocess.run(git, capture_output=True, text=True, check=True)  # noqa: S603 - our own command
        known = json.loads(GOLDEN.read_text(encoding="utf-8"))
        searches = {**known["searches"], **{key: " ".join(digests) for key, digests in found.items()}}
        algorithms = {key.split("/")[1] for key in found}
        content = {
            "made": "by `make golden-record`: optiproxy compare, 30 queries, one torch thread",
            # What is not searched anew keeps its record, and the commit that this was made at.
            "commits": {**known["commits"], **dict.fromkeys(sorted(algorithms), commit.stdout.strip())},
            "torch": torch.__version__.partition("+")[0],
            "cpu": torch.backends.cpu.get_cpu_capability(),
            "searches": dict(sorted(searches.items())),
        }
        GOLDEN.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
        return 0
    golden = json.loads(GOLDEN.read_text(encoding="utf-8"))["searches"]
    differing = [key for key, digests in found.items() if golden.get(key, "") != " ".join(digests)]
    for key in differing:
        pairs = enumerate(zip(golden.get(key, "").split(), found[key], strict=False), start=1)
        print(
            f"{key}: first difference at query {next((i for i, (old, new) in pairs if old != new), 'none in common')}"
        )
    print(f"{len(found)} searches, {len(differing)} differ from {GOLDEN.name}")
    return 1 if differing else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
