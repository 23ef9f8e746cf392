"""``optiproxy report --watch``: a page that follows a search, in a process that ends with Ctrl-C."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import urllib.request

import pytest

from optiproxy.searching.search import search


def _get(url):
    with urllib.request.urlopen(url, timeout=60) as answer:
        return answer.read().decode()


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="Ctrl-C is another signal there")
def test_the_page_follows_a_search_until_ctrl_c(tmp_path):
    def spend(budget):
        search({"a": [*range(9)]}, lambda v: v["a"] / 8, budget=budget, algorithm="random", storage=storage, study="s")

    storage = f"sqlite:///{tmp_path}/mine.db"
    spend(2)
    # Whoever started the tests may ignore Ctrl-C, and that is inherited.
    start = "import runpy, signal; signal.signal(signal.SIGINT, signal.default_int_handler); runpy.run_module('optiproxy', run_name='__main__')"
    command = [sys.executable, "-c", start, "report", "--watch", str(tmp_path / "mine.db")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            line = process.stdout.readline()
            address = re.search(r"http://127\.0\.0\.1:\d+", line)[0]
            before = _get(address + "/state")
            assert "2 of 2 queries" in _get(address)
            spend(4)
            assert _get(address + "/state") != before
            assert "4 of 4 queries" in _get(address)
            process.send_signal(signal.SIGINT)
            assert process.wait(timeout=30) == 0
            assert process.stderr.read() == ""
        finally:
            process.kill()
    # It is looked at; nothing is written.
    assert not [path for path in tmp_path.iterdir() if not path.name.startswith("mine.db")]


def test_one_search_is_watched_and_nothing_is_written(optiproxy):
    done = optiproxy("report", "--watch", "nowhere")
    assert (done.exit_code, "no study at 'nowhere'" in done.stderr) == (2, True)
    for arguments in (("a", "b"), ("a", "--out", "page.html")):
        done = optiproxy("report", "--watch", *arguments)
        assert (done.exit_code, "--watch serves the report of one search" in done.stderr) == (2, True)
