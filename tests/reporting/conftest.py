from __future__ import annotations

import json
from dataclasses import asdict
from html.parser import HTMLParser

import pytest

from optiproxy.metrics import Goal, Objective
from optiproxy.reporting.figures import Axis, Bars, Figure, Parallel, RankFigure, Reference, Series
from optiproxy.results.result import SearchResult
from optiproxy.spaces import FlatSpace
from optiproxy.storage.record import Record
from optiproxy.task.task import Source


class Page(HTMLParser):
    """Tags, attributes and visible text of a page."""

    def __init__(self, html):
        super().__init__(convert_charrefs=True)
        self.html, self.tags, self.attributes, self.text = html, [], [], ""
        self.hidden = False
        self.feed(html)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.hidden = tag in ("script", "style")
        self.attributes += [(tag, name, value) for name, value in attrs]

    def handle_endtag(self, tag):
        self.hidden = False

    def handle_data(self, data):
        self.text += "" if self.hidden else data

    def assert_self_contained(self):
        loading = {
            (tag, name): value for tag, name, value in self.attributes if name in ("src", "href", "srcset", "data")
        }
        assert loading == {("link", "href"): "data:,"}
        # And a browser would load nothing, whatever else there were.
        assert ("meta", "http-equiv", "Content-Security-Policy") in self.attributes
        assert "default-src 'none'" in self.html
        assert "@import" not in self.html
        assert "http:" not in self.html
        assert "https:" not in self.html
        assert self.html.count("url(") == self.html.count("url(#arrow)")
        assert len(self.html) < 1_000_000


@pytest.fixture
def read():
    return Page


@pytest.fixture
def result():
    """A search result from (metrics or reason) per query."""

    def make(trials, *, goal=None, space=None, budget=None, stopped="budget", task="task", predicted=None):
        space = space or FlatSpace({"kernel": [3, 5, 7], "width": [8, 16, 32, 64]})
        choices = [len(decision.choices) for decision in space.decisions]
        records = [
            Record(
                number=number,
                architecture=tuple((number // (i + 1)) % count for i, count in enumerate(choices)),
                state="failed" if isinstance(told, str) else "complete",
                metrics={} if isinstance(told, str) else told,
                reason=told if isinstance(told, str) else "",
                predicted=predicted or {},
                ask_seconds=0.1,
                evaluation_seconds=2.0,
            )
            for number, told in enumerate(trials)
        ]
        return SearchResult(
            task=task,
            space=space,
            goal=goal or Goal((Objective("accuracy"),)),
            source=Source("somewhere", "Made for this test."),
            algorithm="random",
            seed=3,
            budget=budget or max(len(records), 1),
            records=tuple(records),
            stopped=stopped,
            study="study",
        )

    return make


@pytest.fixture
def lucky(result):
    """A search of which the largest value, of query 2, is one of luck: a kernel of 5 is worth 5, and no other has any."""
    return result([
        {"accuracy": 80.0 + 5 * (number % 3 == 1) + 12 * (number == 2), "test": 70.0 + number} for number in range(12)
    ])  # fmt: skip


@pytest.fixture
def through_json():
    """A figure that was written as JSON and read again."""

    def tuples(value):
        if isinstance(value, list):
            return tuple(map(tuples, value))
        return {key: tuples(entry) for key, entry in value.items()} if isinstance(value, dict) else value

    def read(figure):
        content = tuples(json.loads(json.dumps(asdict(figure), allow_nan=False)))
        if isinstance(figure, RankFigure):
            return RankFigure(**content)
        if isinstance(figure, Bars):
            return Bars(**content)
        if isinstance(figure, Parallel):
            lines = tuple(Series(**one) for one in content["series"])
            return Parallel(**{**content, "axes": tuple(Axis(**one) for one in content["axes"]), "series": lines})
        axes = {name: Axis(**content[name]) for name in ("x", "y")}
        series = tuple(Series(**one) for one in content["series"])
        references = tuple(Reference(**one) for one in content["references"])
        return Figure(**{**content, **axes, "series": series, "references": references})

    return read
