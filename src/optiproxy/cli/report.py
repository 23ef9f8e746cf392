"""``optiproxy report``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def report(
    target: Annotated[
        str,
        typer.Argument(
            metavar="DIR_OR_STUDY",
            help="Folder of a search or of a comparison, the name of a search in runs/, a study.db, or a storage URL.",
        ),
    ],
    *,
    study: Annotated[
        str | None, typer.Option(metavar="NAME", help="Which study, where the storage holds several.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(metavar="FILE", help="The page; report.html in the folder if left out.")
    ] = None,
) -> None:
    """Write the HTML report of a search or a comparison anew."""
    from optiproxy.cli import saved
    from optiproxy.comparing.folder import Folder
    from optiproxy.reporting.comparison_page import write_comparison_report
    from optiproxy.reporting.search_page import write_search_report
    from optiproxy.running.search import load

    folder = Folder(Path(target))
    if folder.claimed:
        page = write_comparison_report(folder.comparison(), out or folder.path / saved.REPORT)
    else:
        place = saved.locate(target)
        result = load(place.storage, study or place.study)
        page = write_search_report(result, out or place.folder / saved.REPORT)
    typer.echo(f"Report: {page}")
