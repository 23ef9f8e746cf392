from __future__ import annotations

import http.client
import threading
from contextlib import contextmanager

import pytest

from optiproxy.errors import StudyError, UsageError
from optiproxy.reporting.search.live import LiveReport, server


@contextmanager
def serving(read, folder):
    with server(LiveReport(read, folder)) as made:
        thread = threading.Thread(target=made.serve_forever)
        thread.start()
        try:
            yield made.server_port
        finally:
            made.shutdown()
            thread.join()


def ask(port, path="/", host="127.0.0.1"):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    connection.request("GET", path, headers={"Host": f"{host}:{port}"})
    answer = connection.getresponse()
    text = answer.read().decode()
    connection.close()
    return answer, text


def test_the_page_is_the_report_and_its_state_changes_with_each_query(result, tmp_path, read):
    now = [result([{"accuracy": 0.5}], budget=3, stopped="interrupted")]
    with serving(lambda: now[0], tmp_path) as port:
        answer, html = ask(port)
        page = read(html)
        page.assert_self_contained()
        assert answer.headers["Cache-Control"] == "no-store"
        assert "1 of 3 queries so far." in page.text
        _, state = ask(port, "/state")
        assert ("meta", "content", state) in page.attributes
        now[0] = result([{"accuracy": 0.5}, {"accuracy": 0.75}], budget=3)
        assert ask(port, "/state")[1] != state
        assert "Finished: 2 of 3 queries" in read(ask(port)[1]).text


def test_nobody_else_is_served_and_a_locked_study_is_asked_again(result, tmp_path):
    def locked():
        raise StudyError("The study is locked.")

    with serving(locked, tmp_path) as port:
        assert ask(port, host="evil.example")[0].status == 403
        assert ask(port, "/../secret")[0].status == 404
        answer, text = ask(port, "/state")
        assert (answer.status, text) == (503, "The study is locked.")
        with pytest.raises(UsageError, match=f"Cannot listen on port {port}"):
            server(LiveReport(locked, tmp_path), port=port)


def test_a_page_in_a_file_asks_nobody(result, tmp_path):
    from optiproxy.reporting.search.page import search_report

    html = search_report(result([{"accuracy": 0.5}]), folder=tmp_path)
    assert "fetch(" not in html
    assert 'name="state"' not in html
