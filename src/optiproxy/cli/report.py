"""``optiproxy report``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from optiproxy.cli.options import StudyName
from optiproxy.cli.terminal import say

if TYPE_CHECKING:
    from optiproxy.comparison.folder import Folder


def report(
    targets: Annotated[
        list[str],
        typer.Argument(
            metavar="DIR_OR_STUDY...",
            help="Folder of a search, the name of a search in runs/, a study.db, a storage URL, your MODULE:NAME or TOML file "
            "that was searched; or one or several folders of comparisons, for one page on all of them.",
        ),
    ],
    *,
    study: StudyName = None,
    reference: Annotated[
        str | None,
        typer.Option(
            metavar="NAME", help="Algorithm of a comparison that the others are tested against; the first if left out."
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="The page; report.html in the folder if left out. Needed for several comparisons, whose summary, "
            "statistics and figures are written beside it.",
        ),
    ] = None,
    watch: Annotated[
        bool,
        typer.Option("--watch", help="Serve the report of a search on this machine, anew as it runs, until Ctrl-C."),
    ] = False,
) -> None:
    """Write the HTML report of a search or of comparisons anew."""
    from optiproxy.comparison.folder import Folder
    from optiproxy.errors import UsageError

    folders = [Folder(Path(target)) for target in targets]
    if watch and (out is not None or len(targets) > 1 or any(folder.claimed for folder in folders)):
        raise UsageError(
            "--watch serves the report of one search and writes nothing. Give one folder or study, no --out."
        )
    # What a folder holds decides what is reported, and no option that could contradict it.
    if all(folder.claimed for folder in folders):
        if study is not None:
            raise UsageError(f"{targets[0]} holds a comparison, which has no studies. Leave --study out.")
        _report_comparisons(folders, reference, out)
    elif len(targets) > 1:
        other = next(folder.path for folder in folders if not folder.claimed)
        raise UsageError(f"{other} holds no comparison. Several folders are reported together only if all of them do.")
    elif reference is not None:
        raise UsageError(f"{targets[0]} is no comparison, so there is nothing to test. Leave --reference out.")
    elif watch:
        _watch(targets[0], study)
    else:
        _report_search(targets[0], study, out)


def _watch(target: str, study: str | None) -> None:
    """Serve the page until Ctrl-C, which is how this is meant to end."""
    from contextlib import suppress

    from optiproxy.cli.inputs import saved
    from optiproxy.reporting.search.live import LiveReport, server
    from optiproxy.searching.load import load

    place = saved.locate(target)
    report = LiveReport(lambda: load(place.storage, study or place.study), place.folder)
    # What cannot be read is told here, and not in a browser.
    report.state()
    with server(report) as serving, suppress(KeyboardInterrupt):
        say(f"Report: http://{serving.server_address[0]}:{serving.server_port} (Ctrl-C ends it)")
        serving.serve_forever()


def _report_search(target: str, study: str | None, out: Path | None) -> None:
    from optiproxy.cli import outputs
    from optiproxy.cli.inputs import saved
    from optiproxy.reporting.search.page import write_search_report
    from optiproxy.searching.load import load

    place = saved.locate(target)
    # From the study and not from result.json: a search that is still running is reported as it stands.
    result = load(place.storage, study or place.study)
    page = out or place.folder / saved.REPORT
    outputs.check_search_page(page, result.study, result.storage)
    write_search_report(result, page)
    outputs.mark(page, outputs.owner_of_search(result.study, result.storage))
    say(f"Report: {page}")


def _report_comparisons(folders: Sequence[Folder], reference: str | None, out: Path | None) -> None:
    """Write the page, and beside it the figures and both files of statistics."""
    from optiproxy.cli import outputs
    from optiproxy.cli.compare import conclude
    from optiproxy.cli.inputs.saved import REPORT
    from optiproxy.comparison.comparison import Comparison
    from optiproxy.comparison.folder import Folder, publish_statistics
    from optiproxy.comparison.statistics import analyze
    from optiproxy.errors import UsageError
    from optiproxy.reporting.comparison.page import write_comparison_report

    several = len(folders) > 1
    if several and out is None:
        raise UsageError("A page on several comparisons belongs to none of their folders. Say where with --out FILE.")
    page = out or folders[0].path / REPORT
    # The files beside the page would be taken for those of that comparison.
    if Folder(page.parent).claimed and [folder.path.resolve() for folder in folders] != [page.parent.resolve()]:
        raise UsageError(
            f"{page.parent} belongs to a comparison, whose summary this one would replace. Choose another --out."
        )
    owner = outputs.owner_of_comparisons([folder.path for folder in folders])
    # Read before the results, so that what has not finished can be counted.
    asked = [folder.grid() for folder in folders]
    comparison = Comparison.joined([folder.comparison() for folder in folders])
    statistics = analyze(comparison, reference)
    if out is not None:
        outputs.check_page(page, owner)
    # The page on one comparison that is written elsewhere is only another copy of it: its folder has the files.
    if several or out is None:
        publish_statistics(comparison, statistics, page.parent)
    wanted, there = (sum(len(grid.runs) for grid in grids) for grids in (asked, comparison.grids))
    if there < wanted:
        say(f"Not in the report: {wanted - there} of {wanted} searches, which have not finished.", err=True)
    write_comparison_report(comparison, statistics, page)
    outputs.mark(page, owner)
    conclude(comparison, statistics, page)
