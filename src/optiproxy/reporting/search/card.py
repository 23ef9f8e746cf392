"""The card of an exported architecture, in Markdown: what it is, how good, how it was found, how to use the files."""

from __future__ import annotations

import os
import platform
import re
import shlex
import statistics
from collections.abc import Mapping, Sequence
from html import escape
from importlib.metadata import PackageNotFoundError, version

from optiproxy import __version__
from optiproxy.errors import printable
from optiproxy.metrics import Metrics
from optiproxy.registry.own import arguments
from optiproxy.reporting.words import (
    goal_in_words,
    number,
    place_in_words,
    protocol_in_words,
    recommendation_in_words,
    space_in_words,
    standing,
)
from optiproxy.results.result import SearchResult
from optiproxy.storage.record import Record
from optiproxy.training.export.file_format import WrittenFile

_QUIET_SHARE = 0.15
"""Two measurements of one latency that differ by more than this were not made on a quiet machine."""

# Releases of these change values or files; what else is installed does not.
_PACKAGES = ("torch", "optuna", "numpy", "onnx", "onnxscript", "onnxruntime")


def card(
    result: SearchResult, record: Record, *, files: Sequence[WrittenFile] = (), trainings: Mapping[int, Metrics]
) -> str:
    """The text of the card.

    Args:
        result: The search.
        record: The query whose architecture is exported.
        files: What was exported besides the JSON.
        trainings: Seed -> metrics of every full training of this architecture, the recorded one included.
    """
    sections = (
        [f"# {_text(result.task)}, architecture of query {record.number}"],
        _architecture(result, record),
        _metrics(result, record, trainings),
        _files(files),
        _search(result),
        _versions(),
    )
    return "\n\n".join("\n".join(lines) for lines in sections if lines) + "\n"


def _architecture(result: SearchResult, record: Record) -> list[str]:
    choices = result.space.values(record.architecture).items()
    rows = [(_text(name), _text(str(value))) for name, value in choices]
    return ["## Architecture", "", *_table(("Decision", "Choice"), rows)]


def _metrics(result: SearchResult, record: Record, trainings: Mapping[int, Metrics]) -> list[str]:
    # What was searched for comes first.
    kept = result.goal.metric_names
    names = [*(name for name in kept if name in record.metrics), *(name for name in record.metrics if name not in kept)]
    rows = [
        (_text(name), number(record.metrics[name]), _mean_and_std([m[name] for m in trainings.values() if name in m]))
        for name in names
    ]
    # Of one training there is no standard deviation, and so no column for it.
    several = len(trainings) > 1
    return [
        "## Metrics",
        "",
        *_table(
            ("Metric", f"Search, seed {result.seed}", "Mean ± standard deviation")[: 2 + several],
            [row[: 2 + several] for row in rows],
        ),
        "",
        f"Over {len(trainings)} trainings, with the seeds {', '.join(map(str, sorted(trainings)))}."
        if several
        else f"One training, so no spread between seeds is known; `{_retraining(result)}` trains with another seed.",
        f"The search saw {_text(', '.join(kept))} and chose by it; it picked the best of many, so expect a little less.",
    ]


def _retraining(result: SearchResult) -> str:
    # Code of the user's own is named by the user alone.
    own = result.source.name == "function"
    return "optiproxy retrain" + (" --space MODULE:NAME --evaluate MODULE:NAME" if own else "")


def _mean_and_std(values: Sequence[float]) -> str:
    # One training has no standard deviation.
    if len(values) < 2:
        return "–"
    return f"{number(statistics.fmean(values))} ± {statistics.stdev(values):.2g} (n = {len(values)})"


def _files(files: Sequence[WrittenFile]) -> list[str]:
    if not files:
        return []
    rows = [
        (
            _code(file.path.name),
            _text(file.use),
            "any" if file.batch is None else str(file.batch),
            f"{file.difference:.1g}",
            str(file.latency),
            str(file.again),
        )
        for file in files
    ]
    heads = ("File", "Use", "Rows", "Difference", "Latency", "Measured again")
    shapes = " and ".join(f"({', '.join(['rows', *map(str, shape)])})" for shape in files[0].shapes)
    noisy = [note for file in files if (note := _busy_machine(file))]
    return [
        "## Files",
        "",
        *_table(heads, rows),
        "",
        f"Inputs: of shape {shapes}. Only code of the network's own class may take others, such as longer texts.",
        "Difference: the largest between the outputs of file and trained network, relative to the largest output above 1.",
        "Latency: of one input, on one thread of the machine below.",
        *noisy,
    ]


def _busy_machine(file: WrittenFile) -> str:
    first, again = file.latency.median_ms, file.again.median_ms
    # Relative to the shorter one, which other work on the machine has delayed less.
    share = abs(first - again) / min(first, again)
    if share <= _QUIET_SHARE:
        return ""
    return (
        f"The two latencies of {_code(file.path.name)} differ by {share:.0%}: the machine was busy. "
        "Measure again where the figure matters."
    )


def _search(result: SearchResult) -> list[str]:
    failed = sum(record.state == "failed" for record in result.records)
    minutes = sum(record.evaluation_seconds for record in result.records) / 60
    space = result.space
    size = space_in_words(space.size, decisions=len(space.decisions), continuous=space.continuous)
    source = filter(None, (f"Values {result.source.description}", result.source.licence, result.source.digest))
    told = [
        _text(goal_in_words(result.goal)),
        *map(_text, protocol_in_words(result.protocol, result.goal, budget=result.budget)),
        *map(_text, recommendation_in_words(result)),
        f"Algorithm {_code(result.algorithm)}, seed {result.seed}, budget {result.budget}. {standing(result)}",
        f"{failed} evaluations failed; all together took {minutes:.1f} minutes.",
        f"Space {_text(space.name)}: {size}.",
        _text("; ".join(source)),
        f"Study {_code(result.study)} in {_code(place_in_words(result))}.",
        *_command(result),
    ]
    return ["## How it was found", "", *(f"- {line}" for line in told)]


def _command(result: SearchResult) -> list[str]:
    """The command that makes the search again, where it is of a task with a name."""
    # A function that was handed over has no name on the command line, nor has a table of choices, or a function that measures.
    searched = arguments(result.task)
    handed_over = result.source.name == "function" and len(searched) == 1
    if handed_over or not searched or (len(searched) > 1 and result.protocol.free):
        return []
    words = ["optiproxy", "search", *searched, "--algorithm", result.algorithm]
    words += ["--budget", str(result.budget), "--seed", str(result.seed)]
    words += [word for objective in result.goal.objectives for word in ("--objective", str(objective))]
    # With all digits of the bound, or it would be another limit.
    words += [
        word for limit in result.goal.limits for word in ("--limit", f"{limit.metric}{limit.sense}{limit.bound!r}")
    ]
    words += [word for name in result.protocol.free for word in ("--free", name)]
    if result.protocol.fidelity is not None:
        words += ["--fidelity", str(result.protocol.fidelity), "--promote", str(result.protocol.promote)]
    return [f"Again: {_code(shlex.join(words))}"]


def _versions() -> list[str]:
    found = {"optiproxy": __version__, "Python": platform.python_version()}
    for name in _PACKAGES:
        try:
            found[name] = version(name)
        # Extras may not be installed.
        except PackageNotFoundError:
            continue
    told = ", ".join(f"{name} {number}" for name, number in found.items())
    machine = f"{platform.system()} {platform.machine()}, {platform.processor() or 'unnamed processor'}, {os.cpu_count()} cores"
    return ["## Made with", "", f"{told}; {machine}."]


_MARKUP = re.compile(r"[\\`*\[\]|]")
"""What begins code, emphasis, links and cells. Within a word an underscore begins nothing."""


def _text(text: str) -> str:
    """A text from elsewhere as Markdown shows it, on one line: no tag, no link and no heading is made of it."""
    return _MARKUP.sub(r"\\\g<0>", escape(" ".join(printable(text).split()), quote=False))


def _code(text: str) -> str:
    """The same as code; what could end that, or be taken for a tag, stands as text."""
    text = " ".join(printable(text).split())
    return _text(text) if re.search(r"`|<[^=]", text) else f"`{text}`"


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    def line(cells: Sequence[str]) -> str:
        return f"| {' | '.join(cells)} |"

    return [line(heads), line(["---"] * len(heads)), *map(line, rows)]
