"""What a person reads when something goes wrong, and the exit code that a script reads."""

from __future__ import annotations

import sys
from typing import Any

import typer
from typer.core import TyperGroup

from optiproxy.errors import OptiProxyError

INTERRUPTED = "Interrupted. Everything finished is kept; the same command goes on from there."


class PlainErrors(TyperGroup):
    """Turns exceptions into a message on standard error and an exit code: 1 the search failed, 2 bad usage.

    ``--debug`` may stand anywhere on the line and lets the traceback through instead.
    """

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:  # noqa: ANN401 - typer keeps its context's type private
        if "--debug" in args:
            args = ["--debug", *(argument for argument in args if argument != "--debug")]
        return super().parse_args(ctx, args)

    def invoke(self, ctx: Any) -> Any:  # noqa: ANN401 - the same
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt as error:
            _say(INTERRUPTED)
            raise typer.Exit(1) from error
        except OptiProxyError as error:
            if ctx.params.get("debug"):
                raise
            _say(f"Error: {error}")
            raise typer.Exit(error.exit_code) from error


def unexpected(error: Exception) -> str:
    """What a person reads of an error that nobody foresaw."""
    text = " ".join(str(error).split()).rstrip(".")
    return f"Error: {type(error).__name__}: {text}. This is unexpected; --debug shows where it came from."


def _say(message: str) -> None:
    print(message, file=sys.stderr)  # noqa: T201 - this is where messages go
