from __future__ import annotations

import copy
import json
import pickle

import pytest

from optiproxy.spaces.reading import Reading

VALUES = {"width": 8, "lr": 0.1, "act": "relu"}


def match(values):
    match values:
        case {"width": width}:
            return width


def named(**values):
    return values


@pytest.mark.parametrize(
    ("ask", "read"),
    [
        (lambda v: v["width"], ["width"]),
        (lambda v: (v["act"], v["lr"], v["act"]), ["act", "lr"]),
        (lambda v: v.get("lr"), ["lr"]),
        (lambda v: "depth" in v, ["depth"]),
        (lambda v: v.pop("act"), ["act"]),
        (lambda v: v.setdefault("lr", 3), ["lr"]),
        ("{width} wide".format_map, ["width"]),
        (lambda v: 1, []),
    ],
)
def test_what_is_asked_for_by_name_is_noted(ask, read):
    reading = Reading(VALUES)
    assert ask(reading) == ask(dict(VALUES))
    assert list(reading.read) == read


@pytest.mark.parametrize(
    "ask",
    [
        match,
        dict,
        lambda v: {**v},
        lambda v: named(**v),
        lambda v: sum(map(len, map(str, v.values()))),
        sorted,
        lambda v: v == VALUES,
        lambda v: v != VALUES,
        lambda v: v | {"x": 1},
        lambda v: {"x": 1} | v,
        repr,
        lambda v: f"{v}",
        json.dumps,
        lambda v: v.copy(),
        lambda v: copy.deepcopy(v) == VALUES,
        lambda v: pickle.loads(pickle.dumps(v)) == VALUES,
        lambda v: list(reversed(v)),
        lambda v: [*v.items()],
        len,
        bool,
        lambda v: v.popitem(),
        {}.update,
    ],
)
def test_who_goes_through_it_has_read_everything(ask):
    reading = Reading(VALUES)
    assert ask(reading) == ask(dict(VALUES))
    assert set(reading.read) == set(VALUES)
