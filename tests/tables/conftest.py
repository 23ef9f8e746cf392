"""Files of the same form as the published ones, for tests that need no data folder."""

from __future__ import annotations

import pickle
import sys
import types
from itertools import product

import numpy as np
import pytest

from optiproxy.spaces.published.nasbench201 import OPERATIONS

CELLS = list(product(range(5), repeat=6))


def cell_text(cell):
    """The official notation: one group per node, ``operation~source``."""
    names = [OPERATIONS[operation] for operation in cell]
    nodes = (names[:1], names[1:3], names[3:])
    return "+".join("|" + "".join(f"{name}~{source}|" for source, name in enumerate(node)) for node in nodes)


@pytest.fixture(scope="session")
def raw_folder(data_folder):
    """The published files themselves."""
    folder = data_folder / "raw"
    if not folder.is_dir():
        pytest.skip("needs the published files in $OPTIPROXY_DATA/raw")
    return folder


def _function(module, name):
    def call(*arguments):
        raise AssertionError((name, arguments))

    call.__module__, call.__qualname__, call.__name__ = module, name, name
    return call


class _Made:
    """Pickled as ``function(*arguments)`` with a state."""

    def __init__(self, function, arguments, state=None):
        self.reduced = (function, arguments) if state is None else (function, arguments, state)

    def __reduce__(self):
        return self.reduced


@pytest.fixture
def pickled_frame(monkeypatch):
    """Pickles columns as pandas 1 pickled a frame, without pandas: blocks of columns of one type."""
    names = {
        "pandas.core.frame": ["DataFrame"],
        "pandas.core.internals.managers": ["BlockManager"],
        "pandas.core.indexes.base": ["_new_Index", "Index"],
        "numpy.core.numeric": ["_frombuffer"],
        "numpy.core.multiarray": ["_reconstruct"],
    }
    found = {}
    for module, members in names.items():
        parts = module.split(".")
        for depth in range(1, len(parts) + 1):
            parent = ".".join(parts[:depth])
            if depth > 1 or parent == "pandas":
                monkeypatch.setitem(sys.modules, parent, types.ModuleType(parent))
        for member in members:
            found[member] = _function(module, member)
            setattr(sys.modules[module], member, found[member])

    def objects(texts):
        state = (1, (len(texts),), np.dtype("O"), False, list(texts))
        return _Made(found["_reconstruct"], (np.ndarray, (0,), b"b"), state)

    def block(columns):
        values = np.stack(columns)
        if values.dtype == object:
            return _Made(
                found["_reconstruct"],
                (np.ndarray, (0,), b"b"),
                (1, values.shape, np.dtype("O"), False, values.ravel().tolist()),
            )
        return _Made(found["_frombuffer"], (bytearray(values.tobytes()), values.dtype, values.shape, "C"))

    def pickled(columns):
        kinds = {}
        for name, column in columns.items():
            kinds.setdefault(np.asarray(column).dtype.kind, []).append(name)
        blocks = [block([np.asarray(columns[name]) for name in members]) for members in kinds.values()]
        items = [
            _Made(found["_new_Index"], (found["Index"], {"data": objects(members), "name": None}))
            for members in kinds.values()
        ]
        manager = _Made(found["BlockManager"], (), ([], blocks, items, {}))
        return pickle.dumps(_Made(found["DataFrame"], (), {"_data": manager, "_typ": "dataframe"}), protocol=5)

    return pickled
