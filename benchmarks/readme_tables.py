"""Print the tables of README.md and docs/results.md from the files in results/: ``python benchmarks/readme_tables.py``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parent.parent / "results"
NAMES = {"optiproxy": "optiproxy", "regularized-evolution": "regularized evolution", "random": "random"}

CELLS = {
    "nasbench201-cifar10": ("nasbench201-100", "nasbench201-slow"),
    "nasbench201-cifar100": ("nasbench201-100", "nasbench201-slow"),
    "nasbench201-imagenet16": ("nasbench201-200", "nasbench201-200-slow"),
    "nasbench-nlp-wikitext2": ("nasbench-nlp",),
}
SAMPLED = ("nasbench101", "nasbench101-slow")
SURROGATE = ("nasbench301-50", "nasbench301-slow")
DEVICES = "hwnasbench-50"
"""Tasks and the folders that hold them."""
OVERHEAD = "overhead"
"""The folder in which all algorithms were measured alike, with nothing beside them."""
RIVALS = 4
"""How many rivals the README shows beside the published method and random search: those of best mean rank."""

Figures = dict[str, Any]


def summaries(folder: str) -> dict[str, dict[str, Figures]]:
    """Task -> algorithm -> figures of one comparison."""
    return json.loads((RESULTS / folder / "summary.json").read_text(encoding="utf-8"))


def joined(task: str, *folders: str) -> dict[str, Figures]:
    """Algorithm -> figures on a task, from several comparisons."""
    return {name: figures for folder in folders for name, figures in summaries(folder)[task].items()}


def mean(values: list[float]) -> float:
    """Arithmetic mean of a list that is not empty."""
    return sum(values) / len(values)


def mean_ranks() -> tuple[dict[str, float], int]:
    """Algorithm -> mean rank of its final incumbent, best first; and the number of tasks."""
    text = (RESULTS / "statistics.json").read_text(encoding="utf-8")
    found = next(ranking for ranking in json.loads(text)["rankings"] if ranking["measure"] == "best_at_end")
    return dict(sorted(found["ranks"].items(), key=lambda pair: pair[1])), len(found["tasks"])


def limited_regret(name: str) -> float | None:
    """Simple regret after 50 queries on the tasks with a queried limit: mean over tasks of the median over seeds.

    None where the algorithm has not searched all of them, or has found nothing feasible in half of the searches of one.
    """
    tasks = summaries(DEVICES).values()
    medians = [task[name]["marks"]["50"]["regret"]["median"] for task in tasks if name in task]
    return None if len(medians) < len(tasks) or None in medians else mean(medians)


def to_optimum(figures: Figures) -> str:
    """After how many queries half of the searches have met the optimum (Kaplan and Meier), and the share that ever did."""
    median = figures["queries_to_optimum_survival"]["median"]
    queries = f"> {figures['budget']}" if median is None else f"{median:g}"
    return f"{queries} ({100 * figures['hit_rate']:.0f} %)"


def rivals_table() -> list[str]:
    """All algorithms: how soon they meet the optimum, how good they are after 50 queries, and their overhead."""
    cells = {task: joined(task, *folders) for task, folders in CELLS.items()}
    sampled = joined("nasbench101-cifar10", *SAMPLED)
    surrogate = joined("nasbench301-cifar10", *SURROGATE)
    devices = list(summaries(DEVICES).values())
    alone = summaries(OVERHEAD)["nasbench201-cifar10"]
    rows = [
        "| algorithm | seeds | CIFAR-10 | CIFAR-100 | ImageNet16-120 | recurrent | NB-101 | DARTS | device limits | s | MB |",
        "|---|---|---|---|---|---|---|---|---|---|---|",
    ]

    def row(name: str) -> str:
        met = [to_optimum(task[name]) if name in task else "–" for task in cells.values()]
        lacking = f"{sampled[name]['optimum'] - sampled[name]['best_mean']:.2f}" if name in sampled else "–"
        best = f"{surrogate[name]['best_mean']:.2f} ± {surrogate[name]['best_std']:.2f}"
        left = limited_regret(name)
        overhead = f"{alone[name]['overhead_seconds_per_100']:.1f} | {alone[name]['overhead_mb_peak']:.0f}"
        seeds = {task[name]["seeds"] for task in (*cells.values(), sampled, surrogate, *devices) if name in task}
        number = f"{min(seeds)}" if len(seeds) == 1 else f"{min(seeds)} to {max(seeds)}"
        limited = "–" if left is None else f"{left:.2f}"
        return f"| `{name}` | {number} | {' | '.join([*met, lacking, best, limited, overhead])} |"

    return [*rows, *(row(name) for name in sorted(surrogate, key=lambda name: -surrogate[name]["best_mean"]))]


def short_table() -> list[str]:
    """The table of the README: optiproxy, its closest rivals by mean rank, the published method and random search."""
    ranks, _ = mean_ranks()
    cells = [joined(task, *folders) for task, folders in CELLS.items() if task.startswith("nasbench201")]
    surrogate = joined("nasbench301-cifar10", *SURROGATE)
    rows = [
        "| algorithm | mean rank | CIFAR-10 | CIFAR-100 | ImageNet16-120 | NAS-Bench-301 | latency limits |",
        "|---|---|---|---|---|---|---|",
    ]
    closest = [name for name in ranks if name not in ("optiproxy", "optiproxy-published", "random")][:RIVALS]
    for name in ("optiproxy", *closest, "optiproxy-published", "random"):
        met = " | ".join(to_optimum(task[name]) for task in cells)
        best = f"{surrogate[name]['best_mean']:.2f} ± {surrogate[name]['best_std']:.2f}"
        rows.append(f"| `{name}` | {ranks[name]:.2f} | {met} | {best} | {limited_regret(name):.2f} |")
    return rows


def ranks() -> str:
    """The mean ranks, as a sentence."""
    found, tasks = mean_ranks()
    told = ", ".join(f"{name} {rank:.2f}" for name, rank in found.items())
    return f"Mean rank of the final incumbent over {tasks} tasks: {told}."


def statement() -> list[str]:
    """What the paired tests, corrected for all of them together, say of each group of tasks."""
    found = json.loads((RESULTS / "statistics.json").read_text(encoding="utf-8"))

    def counted(tests: list[Figures], where: str, groups: dict[str, tuple[str, str]]) -> str:
        told: list[str] = []
        for title, (start, measure) in groups.items():
            ahead = [test["ahead"] for test in tests if test[where].startswith(start) and test["measure"] == measure]
            told.append(f"{title} {ahead.count('reference')} / {ahead.count('')} / {ahead.count('rival')}")
        return "; ".join(told)

    together = {
        "NAS-Bench-201, queries to the optimum": ("nasbench201", "queries_to_optimum"),
        "the twelve hardware tasks, best after 50": ("hwnasbench", "best_at_end"),
    }
    alone = {
        "NAS-Bench-301, best after 50": ("nasbench301", "best_at_end"),
        "NAS-Bench-101, best after 50": ("nasbench101", "best_after_50"),
        "NAS-Bench-NLP, queries to the best": ("nasbench-nlp", "queries_to_optimum"),
    }
    return [
        f"- the tasks of one source together, one test for each rival: {counted(found['suites'], 'source', together)};",
        f"- task by task: {counted(found['tests'], 'task', together | alone)}.",
    ]


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
        f"`nasbench301-cifar10`, {seeds('nasbench301-50')} (others {seeds('nasbench301-200')})",
        "validation after 50 queries (optiproxy) or 200 (others)",
        {name: f"{surrogate[name]['best_mean']:.2f} ± {surrogate[name]['best_std']:.2f}" for name in NAMES},
    )
    cells = summaries("nasbench101")["nasbench101-cifar10"]
    row(
        f"`nasbench101-cifar10`, 150 queries, {seeds('nasbench101')}",
        "mean simple regret",
        {name: f"{cells[name]['optimum'] - cells[name]['best_mean']:.3f}" for name in NAMES},
    )
    recurrent = summaries("nasbench-nlp")["nasbench-nlp-wikitext2"]
    row(
        f"`nasbench-nlp-wikitext2`, 40 queries, {seeds('nasbench-nlp')}",
        "queries to the best cell, median (met)",
        {name: to_optimum(recurrent[name]) for name in NAMES},
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


def readme() -> list[list[str]]:
    """What README.md holds, block by block."""
    return [short_table()]


def results() -> list[list[str]]:
    """What docs/results.md holds, block by block."""
    return [[ranks()], rivals_table(), statement(), cells_table(), other_table()]


if __name__ == "__main__":
    for page, blocks in (("README.md", readme()), ("docs/results.md", results())):
        print(f"--- {page}\n")
        print("\n\n".join("\n".join(block) for block in blocks), end="\n\n")
