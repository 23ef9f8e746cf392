"""The report of a search that still runs, as a page on this machine that loads itself again."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Lock
from typing import final

from optiproxy.errors import OptiProxyError, UsageError
from optiproxy.reporting.search.page import search_report
from optiproxy.results.result import SearchResult

HOST = "127.0.0.1"
"""Nobody but this machine is answered."""


@final
class LiveReport:
    """Reads the study whenever it is asked, and draws the page anew only where something has happened since.

    Args:
        read: The result as it stands, for example `optiproxy.searching.load.load` of a study.
        folder: Where the commands on the page look for the search.
    """

    def __init__(self, read: Callable[[], SearchResult], folder: Path) -> None:
        self._read, self._folder = read, folder
        self._drawn = ("", "")
        # A browser asks for the page and for news at the same time.
        self._lock = Lock()

    def state(self) -> str:
        """How far the search is: it changes with each query that finishes."""
        return self._state(self._read())

    def page(self) -> str:
        """The page as HTML."""
        with self._lock:
            result = self._read()
            state = self._state(result)
            if self._drawn[0] != state:
                self._drawn = state, search_report(result, folder=self._folder, live=state)
            return self._drawn[1]

    @staticmethod
    def _state(result: SearchResult) -> str:
        return f"{result.study}: {len(result.records)} of {result.budget}, {result.stopped}"


def server(report: LiveReport, *, port: int = 0) -> ThreadingHTTPServer:
    """A server of the report on this machine alone; `server_port` says on which port, `serve_forever` starts it.

    Args:
        report: What is served: the page as ``/``, and how far the search is as ``/state``.
        port: Where to listen; 0 takes a free one.

    Raises:
        UsageError: If the port cannot be had.
    """

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            # A page of another site that has made its name mean this machine would ask under that name (DNS rebinding).
            if self.headers.get("Host", "").rpartition(":")[0] not in {HOST, "localhost"}:
                self._answer(403, "text/plain", f"Ask for http://{HOST}.")
            elif self.path not in {"/", "/state"}:
                self._answer(404, "text/plain", "There is only the report, at /.")
            else:
                try:
                    kind, text = ("html", report.page()) if self.path == "/" else ("plain", report.state())
                # The study may be locked for a moment, and a page that asks again is served then.
                except OptiProxyError as error:
                    self._answer(503, "text/plain", str(error))
                else:
                    self._answer(200, f"text/{kind}", text)

        def _answer(self, status: int, kind: str, text: str) -> None:
            body = text.encode()
            # Whoever closes the page while it is being sent does not want the rest.
            with suppress(ConnectionError):
                self.send_response(status)
                self.send_header("Content-Type", f"{kind}; charset=utf-8")
                self.send_header("Content-Length", str(len(body)))
                self.send_header("Cache-Control", "no-store")
                self.end_headers()
                self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the interface
            """Say nothing: a line per request would bury the address."""

    try:
        made = ThreadingHTTPServer((HOST, port), Handler)
    except OSError as error:
        raise UsageError(f"Cannot listen on port {port} of {HOST} ({error.strerror}). Choose another one.") from error
    # A browser that keeps its connection open must not keep the program from ending.
    made.daemon_threads = True
    return made
