"""Print the tables of the README from the summaries in ``results/``: ``python benchmarks/readme_tables.py``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parent.parent / "results"
NAMES = {"optiproxy": "optiproxy", "regularized-evolution": "regularized evolution", "random": "random"}

Figures = dict[str, Any]


def summaries(folder: str) -> dict[str, dict[str, Figures]]:
    """Task -> algorithm -> figures of one comparison."""
    return json.loads((RESULTS / folder / "summary.json").read_text(encoding="utf-8"))


def mean(values: list[float]) -> float:
    """Of a list that is not empty."""
    return sum(values) / len(values)


def rivals_table() -> list[str]:
    """All algorithms: queries to the optimum of NAS-Bench-201, what NAS-Bench-301 gives for 50 queries, and overhead."""
    columns = {
        "CIFAR-10": summaries("nasbench201-100")["nasbench201-cifar10"],
        "CIFAR-100": summaries("nasbench201-100")["nasbench201-cifar100"],
        "ImageNet16-120": summaries("nasbench201-200")["nasbench201-imagenet16"],
    }
    surrogate = summaries("nasbench301-50")["nasbench301-cifar10"]
    rows = [
        f"| algorithm | {' | '.join(columns)} | DARTS cells, 50 queries | seconds per 100 queries | MB |",
        "|---|---|---|---|---|---|---|",
    ]
    searched = {name for name in surrogate if all(name in found for found in columns.values())}

    def place(name: str) -> tuple[bool, float]:
        """Fewest queries first, then, without queries, the best network first."""
        if name in searched:
            return False, sum(found[name]["queries_to_optimum_mean"] for found in columns.values())
        return True, -surrogate[name]["best_mean"]

    for name in sorted(surrogate, key=place):
        met = ["–", "–", "–"]
        overhead = "– | –"
        if name in searched:
            met = [
                f"{found[name]['queries_to_optimum_median']:g} ({100 * found[name]['hit_rate']:.0f} %)"
                for found in columns.values()
            ]
            own = columns["CIFAR-10"][name]
            overhead = f"{own['overhead_seconds_mean']:.1f} | {own['overhead_mb_peak']:.1f}"
        best = f"{surrogate[name]['best_mean']:.2f} ± {surrogate[name]['best_std']:.2f}"
        rows.append(f"| `{name}` | {' | '.join(met)} | {best} | {overhead} |")
    return rows


def statement() -> str:
    """What the paired tests of these comparisons say, as a sentence."""
    told: list[str] = []
    for title, folder in (
        ("CIFAR-10 and CIFAR-100", "nasbench201-100"),
        ("ImageNet16-120", "nasbench201-200"),
        ("DARTS cells", "nasbench301-50"),
        ("the twelve hardware tasks below", "hwnasbench-queried"),
    ):
        text = (RESULTS / folder / "statistics.json").read_text(encoding="utf-8")
        ahead = [test["ahead"] for test in json.loads(text)["tests"]]
        told.append(f"{title} {ahead.count('reference')} / {ahead.count('')} / {ahead.count('rival')}")
    return f"Ahead / open / behind: {', '.join(told)}."


def cells_table() -> list[str]:
    """The best that optiproxy found on NAS-Bench-201, and its test value."""
    rows = ["| task (budget) | queries, mean | validation | its test |", "|---|---|---|---|"]
    for title, folder, task in (
        ("CIFAR-10 (100)", "nasbench201-100", "nasbench201-cifar10"),
        ("CIFAR-100 (100)", "nasbench201-100", "nasbench201-cifar100"),
        ("ImageNet16-120 (200)", "nasbench201-200", "nasbench201-imagenet16"),
    ):
        s = summaries(folder)[task]["optiproxy"]
        rows.append(
            f"| {title} | {s['queries_to_optimum_mean']:.1f} | {s['best_mean']:.2f} ± {s['best_std']:.2f} | {s['test_mean']:.2f} |"
        )
    return rows


def other_table() -> list[str]:
    """One line for each of the other families of tasks."""
    rows = [f"| tasks | figure | {' | '.join(NAMES.values())} |", "|---|---|---|---|---|"]

    def row(tasks: str, figure: str, texts: dict[str, str]) -> None:
        rows.append(f"| {tasks} | {figure} | {' | '.join(texts.get(key, '–') for key in NAMES)} |")

    def shares(folder: str, key: str) -> dict[str, str]:
        found = summaries(folder).values()
        return {name: f"{100 * mean([task[name][key] for task in found]):.0f} %" for name in NAMES}

    def seeds(folder: str) -> str:
        found = next(iter(summaries(folder).values()))
        return f"{next(iter(found.values()))['seeds']} seeds"

    protocols = {"hwnasbench-queried": "latency queried", "hwnasbench-free": "latency free"}
    for folder, title in protocols.items():
        tasks = f"12 hardware tasks, {title}, 100 queries, {seeds(folder)}"
        row(tasks, "constrained optimum met", shares(folder, "hit_rate"))
        row(tasks, "queries that were feasible", shares(folder, "feasible_share"))
    low = summaries("nasbench201-12epochs")
    for task, figures in low.items():
        row(
            f"`{task}`, 50 + 10 queries, {seeds('nasbench201-12epochs')}",
            f"validation at 200 epochs (optimum {figures['optiproxy']['optimum']:.2f})",
            {name: f"{figures[name]['best_mean']:.2f} ± {figures[name]['best_std']:.2f}" for name in NAMES},
        )
    surrogate = {
        **summaries("nasbench301-200")["nasbench301-cifar10"],
        "optiproxy": summaries("nasbench301-50")["nasbench301-cifar10"]["optiproxy"],
    }
    row(
        f"`nasbench301-cifar10`, {seeds('nasbench301-50')}",
        "validation after 50 queries (optiproxy) or 200 (others)",
        {name: f"{surrogate[name]['best_mean']:.2f} ± {surrogate[name]['best_std']:.2f}" for name in NAMES},
    )
    cells = summaries("nasbench101")["nasbench101-cifar10"]
    row(
        f"`nasbench101-cifar10`, 150 queries, {seeds('nasbench101')}",
        "mean regret",
        {name: f"{cells[name]['optimum'] - cells[name]['best_mean']:.3f}" for name in NAMES},
    )
    recurrent = summaries("nasbench-nlp")["nasbench-nlp-wikitext2"]
    row(
        f"`nasbench-nlp-wikitext2`, 40 queries, {seeds('nasbench-nlp')}",
        "queries to the best cell, median; met",
        {
            name: f"{recurrent[name]['queries_to_optimum_median']:g}; {100 * recurrent[name]['hit_rate']:.0f} %"
            for name in NAMES
        },
    )
    for folder, title in (
        ("digits", "`digits`, 40 trainings"),
        ("digits-latency", "`digits-latency`, 40 trainings, none over the limit"),
        ("digits-table", "`digits-table`, 40 queries"),
    ):
        figures = summaries(folder)[folder]
        texts = {name: f"{s['test_mean']:.2f}" for name, s in figures.items()}
        others = ", ".join(f"`{name}` {text}" for name, text in texts.items() if name not in NAMES)
        selected = "test accuracy of the network selected by validation"
        row(f"{title}, {seeds(folder)}", f"{selected} ({others})" if others else selected, texts)
    return rows


if __name__ == "__main__":
    print("\n".join([*rivals_table(), "", statement(), "", *cells_table(), "", *other_table()]))
