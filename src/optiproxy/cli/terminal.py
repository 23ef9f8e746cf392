"""What a command says."""

from __future__ import annotations

import typer

from optiproxy.errors import printable


def say(text: object, *, err: bool = False) -> None:
    """Print a line, or several. Names, metrics and reasons in it may come from anybody's study.

    Args:
        text: What a person or a script reads.
        err: Whether it goes to standard error: remarks and mistakes, which a script is not to take for a result.
    """
    typer.echo(printable(str(text)), err=err)
