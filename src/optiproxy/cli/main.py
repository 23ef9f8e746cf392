"""The command line: ``optiproxy search``, ``compare``, ``tasks``, ``algorithms``, ``report``, ``export``, ``retrain``, ``profile``, ``data``."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from optiproxy import __version__
from optiproxy.cli import compare, data, export, listing, profile, report, search
from optiproxy.cli.errors import PlainErrors, unexpected

app = typer.Typer(
    cls=PlainErrors,
    name="optiproxy",
    help="Find the best network architecture for a task in as few trainings as possible.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    # Plain text: it starts quicker, and a script can read it.
    rich_markup_mode=None,
)


def _show_version(wanted: bool) -> None:  # noqa: FBT001 - typer's interface of callbacks
    if wanted:
        typer.echo(f"optiproxy {__version__}")
        raise typer.Exit


@app.callback()
def options(
    *,
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and exit.")
    ] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")] = False,
) -> None:
    """Find the best network architecture for a task in as few trainings as possible."""


app.command("search")(search.search)
app.command("compare")(compare.compare)
app.command("tasks")(listing.tasks)
app.command("algorithms")(listing.algorithms)
app.command("report")(report.report)
app.command("export")(export.export)
app.command("retrain")(export.retrain)
app.command("profile")(profile.profile)
app.add_typer(data.app, name="data")


def main() -> None:
    """The ``optiproxy`` script."""
    try:
        app()
    except Exception as error:
        if "--debug" in sys.argv:
            raise
        sys.exit(unexpected(error))
