"""Networks with several inputs, whose outputs come in all the ways that people write."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from importlib.util import find_spec
from typing import NamedTuple

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn

from optiproxy.errors import ExportError
from optiproxy.training.export.network_files import export_network
from optiproxy.training.export.outputs import output_names, plain
from optiproxy.training.export.python_file import read_python

ONNX = all(find_spec(name) for name in ("onnx", "onnxscript", "onnxruntime"))
EXAMPLE = (torch.zeros(1, 4), torch.zeros(1, 3), torch.tensor(2.0))


class Named(NamedTuple):
    logits: Tensor
    hidden: Tensor | None


@dataclass
class Record:
    logits: Tensor
    hidden: Tensor | None = None


class Held(OrderedDict):
    """A mapping of somebody's own."""


class Two(nn.Module):
    """Three inputs, one of them without rows; what holds the outputs is left open."""

    def __init__(self, hold) -> None:
        super().__init__()
        self.layer = nn.Linear(4, 3)
        self.hold = hold

    def forward(self, x, y, scale):
        hidden = self.layer(x) * scale
        return self.hold(hidden.relu() + y, hidden)


HOLDERS = {
    "tuple": lambda a, b: (a, b),
    "list": lambda a, b: [a, b],
    "dict": lambda a, b: {"logits": a, "hidden": b},
    "other mapping": lambda a, b: Held(logits=a, hidden=b),
    "named tuple": Named,
    "dataclass": Record,
    "nested": lambda a, b: {"first": Record(a), "second": (b, [Named(b, None)])},
    "one in a tuple": lambda a, _: (a,),
}


def structure(output):
    """Outputs with the shape of every tensor in its place."""
    if isinstance(output, Tensor):
        return output.shape
    if isinstance(output, dict):
        return {key: structure(value) for key, value in output.items()}
    return None if output is None else [type(output), *map(structure, output)]


@pytest.mark.slow
@pytest.mark.parametrize("hold", HOLDERS.values(), ids=HOLDERS)
def test_outputs_are_exported_as_they_are_nested_and_agree(hold, tmp_path):
    network = Two(hold)
    files = {file.path.name: file for file in export_network(network, EXAMPLE, tmp_path, formats=["python", "torch"])}
    assert all(file.difference <= 1e-5 and file.batch is None for file in files.values())
    assert network.training
    # The network itself is as it was.
    assert type(network(*EXAMPLE)) is type(hold(torch.zeros(1), torch.zeros(1)))
    inputs = (torch.randn(2, 4), torch.randn(2, 3), torch.tensor(0.5))
    expected = plain(network(*inputs))
    program = torch.export.load(files["network.pt2"].path)
    assert program.state_dict.keys() == network.state_dict().keys()
    for answer in (read_python(files["network.py"].path).call(*inputs), program.module()(*inputs)):
        assert structure(answer) == structure(expected)


@pytest.mark.slow
@pytest.mark.skipif(not ONNX, reason="needs the extra onnx")
@pytest.mark.parametrize(
    ("hold", "names"),
    [
        (Record, ["logits", "hidden"]),
        (Named, ["logits", "hidden"]),
        (HOLDERS["nested"], ["first.logits", "second.0", "second.1.0.logits"]),
        (HOLDERS["list"], None),
        # Names of inputs are taken.
        (lambda a, b: {"x": a, "y": b}, None),
    ],
)
def test_outputs_of_an_onnx_file_have_the_names_that_the_network_gives_them(hold, names, tmp_path):
    import onnxruntime

    (file,) = export_network(Two(hold), EXAMPLE, tmp_path, formats=["onnx"])
    assert file.difference <= 1e-5
    assert file.batch is None
    session = onnxruntime.InferenceSession(file.path, providers=["CPUExecutionProvider"])
    found = [entry.name for entry in session.get_outputs()]
    assert found == names if names else not {"x", "y"}.intersection(found)
    assert [entry.name for entry in session.get_inputs()] == ["x", "y", "scale"]


@pytest.mark.parametrize(
    ("returned", "kind"),
    [(lambda a, b: (a, 3), "int"), (lambda a, b: {"logits": a, "name": "text"}, "str"), (lambda a, b: {a}, "set")],
)
@pytest.mark.parametrize("as_format", ["python", "torch", "onnx"] if ONNX else ["python", "torch"])
def test_what_is_no_tensor_is_refused_in_a_sentence(returned, kind, as_format, tmp_path):
    with pytest.raises(
        ExportError, match=rf"^Expected outputs that are tensors, .* got {kind}\. Return it as a tensor"
    ):
        export_network(Two(returned), EXAMPLE, tmp_path, formats=[as_format])
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("returned", [lambda a, b: None, lambda a, b: {}, lambda a, b: [None, ()]])
def test_outputs_without_a_tensor_are_refused(returned, tmp_path):
    with pytest.raises(ExportError, match=r"^Expected outputs with a tensor among them, got none\."):
        export_network(Two(returned), EXAMPLE, tmp_path, formats=["torch"])


@pytest.mark.slow
def test_truth_values_numbers_and_masked_scores_are_compared(tmp_path):
    def hold(scores, hidden):
        masked = scores.masked_fill(torch.tensor([True, False, False]), -torch.inf)
        return {
            "positive": scores > 0,
            "best": scores.argmax(-1),
            "masked": masked,
            "twisted": torch.complex(hidden, scores),
        }

    files = export_network(Two(hold), EXAMPLE, tmp_path, formats=["python", "torch"])
    assert all(file.difference <= 1e-5 for file in files)


def test_an_example_that_does_not_fit_is_told(tmp_path):
    with pytest.raises(ExportError, match=r"^Linear does not take its example of shape \(1, 5\): RuntimeError: "):
        export_network(nn.Linear(4, 3), torch.zeros(1, 5), tmp_path, formats=["torch"])


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:Lazy modules:UserWarning")
def test_lazy_modules_are_exported_with_their_weights(tmp_path):
    network = nn.Sequential(nn.LazyConv2d(4, 3), nn.Flatten(), nn.LazyLinear(3))
    (file,) = export_network(network, torch.zeros(1, 3, 8, 8), tmp_path, formats=["torch"])
    assert torch.export.load(file.path).state_dict["2.weight"].shape == (3, 144)


tensors = st.builds(torch.zeros, st.just(1))
outputs = st.recursive(
    tensors | st.none(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.lists(inner, max_size=3).map(tuple)
        | st.dictionaries(st.text("abc", min_size=1), inner, max_size=3)
        | st.builds(Named, inner, inner)
        | st.builds(Record, inner, inner)
    ),
    max_leaves=8,
)


@given(outputs)
def test_plain_outputs_are_plain_and_stay_as_they_are(output):
    found = plain(output)
    assert plain(found) is found or structure(plain(found)) == structure(found)
    names = output_names(output)
    assert len(names) == len(set(names))
