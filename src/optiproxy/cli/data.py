"""``optiproxy data list``, ``fetch``, ``verify`` and ``import``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from optiproxy.cli.listing import AsJson, shortened, table
from optiproxy.cli.terminal import say

if TYPE_CHECKING:
    from rich.progress import Progress

    from optiproxy.tables.store.declarations import Dataset
    from optiproxy.tables.store.fetching import Origin

app = typer.Typer(
    no_args_is_help=True, rich_markup_mode=None, help="The benchmarks' data: list, fetch, verify, import."
)

Names = Annotated[
    list[str] | None,
    typer.Argument(metavar="[NAME]...", help="Datasets that `optiproxy data list` shows; all if left out."),
]


@app.command("list")
def list_(*, as_json: AsJson = False) -> None:
    """List the datasets: source, licence, size, the tasks that read them, and whether they are here."""
    from optiproxy.tables.store.datasets import DATASETS

    found = [_describe(dataset) for dataset in DATASETS.values()]
    if as_json:
        say(json.dumps(found, indent=2))
        return
    # The whole sources and licences are in the JSON; a line of a terminal has no room for them.
    rows = [
        (
            entry["name"],
            f"{entry['download_bytes'] / 1e6:.1f} MB",
            entry["licence"],
            ", ".join(dict.fromkeys(file["repository"] for file in entry["files"])),
            shortened(entry["tasks"], 2),
            {"here": "here", "missing": "not here", "damaged": entry["problem"]}[entry["state"]],
        )
        for entry in found
    ]
    table([("DATASET", "DOWNLOAD", "LICENCE", "SOURCE (GITHUB)", "TASKS", ""), *rows])


@app.command()
def fetch(
    names: Names = None,
    *,
    mirror: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Take the published files from this folder instead of downloading them."),
    ] = None,
) -> None:
    """Download datasets, check them, and convert them to arrays without pickles."""
    from optiproxy.tables.store.datasets import data_folder, problem
    from optiproxy.tables.store.fetching import Internet, Mirror

    chosen = _chosen(names)
    origin = Internet() if mirror is None else Mirror(mirror)
    for dataset in chosen:
        # Checked and not only looked for: a damaged file is fetched again.
        if (data_folder() / f"{dataset.name}.npz").exists() and not problem(dataset.name):
            say(f"{dataset.name}: already in {data_folder()}, verified.")
            continue
        path = _fetch(dataset, origin)
        say(f"{dataset.name}: {path}")


@app.command()
def verify(names: Names = None) -> None:
    """Check that datasets are what they should be; without names, all that are here."""
    from optiproxy.errors import DataError
    from optiproxy.tables.store.datasets import data_folder, data_path, problem

    # What is missing is a mistake only where somebody has asked for it by name.
    chosen = [dataset for dataset in _chosen(names) if names or data_path(dataset.name).exists()]
    problems = {dataset.name: problem(dataset.name) for dataset in chosen}
    for name, found in problems.items():
        if not found:
            say(f"{name}: verified.")
    if not chosen:
        say(f"No dataset is in {data_folder()}. Get all with `optiproxy data fetch`.")
    # Only after all were checked, so that one run shows everything that is wrong.
    if any(problems.values()):
        raise DataError(" ".join(filter(None, problems.values())))


@app.command("import")
def import_(
    name: Annotated[str, typer.Argument(metavar="NAME", help="nasbench201 or nasbench101.")],
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="Its official archive, or the folder it was unpacked to.")
    ],
) -> None:
    """Convert a benchmark's official archive that you have."""
    from optiproxy.errors import unknown
    from optiproxy.tables.store.datasets import IMPORTS
    from optiproxy.tables.store.fetching import import_file

    if name not in IMPORTS:
        raise unknown("benchmark to import", name, IMPORTS)
    with _progress() as progress:
        progress.add_task(f"Converting {file.name}", total=None)
        path = import_file(IMPORTS[name], file)
    say(f"{name}: {path}")


def _chosen(names: list[str] | None) -> list[Dataset]:
    from optiproxy.tables.store.datasets import DATASETS, dataset

    # A name that is given twice is fetched once.
    return [dataset(name) for name in dict.fromkeys(names or DATASETS)]


def _fetch(dataset: Dataset, origin: Origin) -> Path:
    from optiproxy.tables.store.fetching import fetch as fetched

    total = sum(file.size for file in dataset.files)
    with _progress() as progress:
        bar = progress.add_task(dataset.name, total=total)

        def advance(count: int) -> None:
            progress.advance(bar, count)
            # After the last byte comes the conversion, of which nobody knows how long it takes.
            if progress.tasks[bar].completed >= total:
                progress.update(bar, description=f"Converting {dataset.name}", total=None)

        return fetched(dataset, origin, advance)


def _progress() -> Progress:
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}", markup=False), BarColumn(), DownloadColumn(), TimeElapsedColumn())
    console = Console(stderr=True)
    # Silent in a file or a pipe; on a terminal it is gone when the work is done.
    return Progress(*columns, console=console, transient=True, disable=not console.is_terminal)


def _describe(dataset: Dataset) -> dict[str, Any]:
    from optiproxy import registry
    from optiproxy.tables.store.datasets import data_folder, problem

    path = data_folder() / f"{dataset.name}.npz"
    found = problem(dataset.name)
    return {
        "name": dataset.name,
        "description": dataset.description,
        "licence": dataset.licence,
        "download_bytes": sum(file.size for file in dataset.files),
        "files": [
            {
                "name": file.name,
                "repository": file.repository,
                "url": file.url,
                "bytes": file.size,
                "sha256": file.sha256,
                "licence": file.licence,
            }
            for file in dataset.files
        ],
        "tasks": [entry.name for entry in registry.tasks() if dataset.name in entry.data],
        "path": str(path),
        "state": "here" if not found else "damaged" if path.exists() else "missing",
        "problem": found,
    }
