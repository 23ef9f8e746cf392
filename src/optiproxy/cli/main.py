"""The command line: ``optiproxy search``, ``worker``, ``compare``, ``tasks``, ``algorithms``, ``report``, ``export``, ``retrain``, ``profile``, ``data``.

Errors become a message on standard error, for the person who reads, and an exit code, for the script that does.
"""

from __future__ import annotations

import sys
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from optiproxy import __version__
from optiproxy.cli import compare, data, export, listing, profile, report, search, worker
from optiproxy.cli.inputs.search_file import HOW, from_file
from optiproxy.cli.terminal import say
from optiproxy.errors import OptiProxyError, printable


class PlainErrors(TyperGroup):
    """Turns exceptions into a message on standard error and an exit code: 1 the search failed, 2 bad usage.

    ``--debug`` may stand anywhere on the line and lets the traceback through instead.
    """

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:  # noqa: ANN401 - typer keeps its context's type private
        # Click takes the options of a group before the command only, and people write this one at the end.
        if "--debug" in args:
            args = ["--debug", *(argument for argument in args if argument != "--debug")]
        return super().parse_args(ctx, args)

    def invoke(self, ctx: Any) -> Any:  # noqa: ANN401 - the same
        try:
            return super().invoke(ctx)
        # Searches that are interrupted end by themselves; this is for whatever else takes long.
        except KeyboardInterrupt as error:
            say(search.INTERRUPTED, err=True)
            raise typer.Exit(1) from error
        except OptiProxyError as error:
            if ctx.params.get("debug"):
                raise
            say(f"Error: {error}", err=True)
            raise typer.Exit(error.exit_code) from error


def unexpected(error: Exception) -> str:
    """Return what a person reads of an error that nobody foresaw."""
    text = printable(" ".join(str(error).split()).rstrip("."))
    return f"Error: {type(error).__name__}: {text}. This is unexpected; --debug shows where it came from."


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
        say(f"optiproxy {__version__}")
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


# In this order `optiproxy --help` lists them.
app.command("search", cls=from_file(*HOW))(search.search)
# Budget, seed and goal are those of the study.
app.command("worker", cls=from_file())(worker.worker)
# Seed, workers, timeout and study are those of a single search.
app.command("compare", cls=from_file("budget", "fidelity", "promote"))(compare.compare)
app.command("tasks")(listing.tasks)
app.command("algorithms")(listing.algorithms)
app.command("report")(report.report)
app.command("export")(export.export)
app.command("retrain")(export.retrain)
app.command("profile", cls=from_file("budget", "seed"))(profile.profile)
app.add_typer(data.app, name="data")


def main() -> None:
    """The ``optiproxy`` script."""
    try:
        # What `PlainErrors` lets pass is a mistake of ours, or it comes from before there was a command.
        app()
    except Exception as error:
        if "--debug" in sys.argv:
            raise
        sys.exit(unexpected(error))
