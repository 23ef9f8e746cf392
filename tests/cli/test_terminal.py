"""Whatever a study holds, it steers neither the terminal nor whoever reads a page, a card or a notebook."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from optiproxy.errors import OptiProxyError, StudyError, printable
from optiproxy.searching.load import load
from optiproxy.searching.search import search

CURSOR, TITLE, BIDI, TAG = "\x1b[2J", "\x1b]0;owned\x07", "\u202e", "<img src=x onerror=alert(1)>"
EVIL = f"x{CURSOR}{TITLE}\x9b31m{BIDI}{TAG}](javascript:alert(1))`{TAG}`|\n# head\r"


@given(st.text())
def test_nothing_steers_and_nothing_is_lost(text):
    told = printable(text)
    assert all(c.isprintable() or c in "\n\t" for c in told)
    assert printable(told) == told
    assert str(OptiProxyError(text)) == told
    if all(c.isprintable() for c in text):
        assert told == text


class Tags(HTMLParser):
    def __init__(self, html):
        super().__init__()
        self.found = set()
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.found |= {tag, *(name for name, _ in attrs if name.startswith("on"))}


def steering(text):
    return {c for c in text if not (c.isprintable() or c in "\n\t")}


@pytest.mark.slow
def test_a_study_of_anybody_is_only_text(optiproxy, tmp_path, capfd):
    def train(architecture):
        if architecture["kernel"] == 3:
            raise ValueError(EVIL)
        return {"accuracy": 1.0, EVIL: 2.0, "note": EVIL}

    space = {"kernel": [1, 2, 3], EVIL: [EVIL, "plain"]}
    result = search(space, train, budget=6, algorithm="random", storage="sqlite:///s.db", study=EVIL)
    told = "".join(capfd.readouterr())
    assert "x\\x1b[2J" in told
    assert not steering(told)
    assert not steering(repr(result))
    for command in (
        ("report", "s.db"),
        ("export", "s.db", "--format", "json"),
        ("report", "s.db", "--study", EVIL * 2),
    ):
        done = optiproxy(*command)
        assert not steering(done.output)
        assert done.exit_code == (2 if "--study" in command else 0), done.output
    page = (tmp_path / "report.html").read_text()
    card = (tmp_path / "export/card.md").read_text()
    for text in (page, card, load("s.db")._repr_html_()):
        assert "owned" in text
        assert not steering(text)
        assert not Tags(text).found & {"img", "onerror"}
    # A link, code or a heading of a card is ours.
    assert "](javascript" not in card.replace("\\]", "")
    assert [line for line in card.splitlines() if line.startswith("# ")] == [card.splitlines()[0]]
    with pytest.raises(StudyError) as refused:
        load("s.db", EVIL * 2)
    assert not steering(str(refused.value))
