from __future__ import annotations

import subprocess
import sys
from importlib.util import find_spec

import pytest
import torch
from torch import nn

from optiproxy.errors import ExportError, UsageError
from optiproxy.training.export import graph_files
from optiproxy.training.export.file_format import Loaded, write_checked
from optiproxy.training.export.network_files import export_network

needs_onnx = pytest.mark.skipif(
    any(find_spec(name) is None for name in ("onnx", "onnxscript", "onnxruntime")), reason="needs the extra onnx"
)
TOKENS = (torch.arange(5)[None] % 4, torch.ones(1, 1, 1))


class Recurrent(nn.Module):
    """Two inputs, two outputs, integers, a buffer that is not saved, weights in several places."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Embedding(4, 6)
        self.cell = nn.GRU(6, 6, batch_first=True)
        self.head = nn.Sequential(nn.Dropout(0.5), nn.Linear(6, 4))
        self.register_buffer("mask", torch.tensor([1.0, 0.0, 1.0, 1.0, 1.0]), persistent=False)

    def forward(self, tokens, scale):
        hidden, _ = self.cell(self.embedding(tokens) * self.mask[None, :, None])
        return self.head(hidden) * scale, hidden


@pytest.fixture(scope="module")
def network() -> Recurrent:
    torch.manual_seed(0)
    return Recurrent()


@pytest.mark.slow
def test_a_network_of_ones_own_becomes_straight_python_that_needs_torch_alone(network, tmp_path):
    (written,) = export_network(network, TOKENS, tmp_path, formats=["python"])
    assert written.difference <= 1e-5
    assert written.batch is None
    assert network.training
    expected = network.eval()(*TOKENS)[0].sum().item()
    network.train()
    program = (
        "import sys, torch, network; net = network.load(); out = net(torch.arange(5)[None] % 4, torch.ones(1, 1, 1))"
    )
    program += "; print(out[0].sum().item(), sum(p.numel() for p in net.parameters()), 'optiproxy' in sys.modules)"
    told = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=True)
    total, parameters, ours = told.stdout.split()
    assert float(total) == pytest.approx(expected, abs=1e-5)
    assert int(parameters) == sum(p.numel() for p in network.parameters())
    assert ours == "False"


@pytest.mark.slow
@needs_onnx
def test_the_program_and_the_onnx_file_answer_like_the_network_for_any_number_of_rows(network, tmp_path):
    program, onnx = export_network(network, TOKENS, tmp_path, formats=["torch", "onnx"])
    assert {path.name for path in tmp_path.iterdir()} == {"network.pt2", "network.onnx"}
    tokens = torch.tensor([[0, 1, 2, 3, 3], [3, 2, 1, 0, 0], [1, 1, 1, 1, 1]])
    inputs = (tokens, torch.full((3, 1, 1), 2.0))
    expected = network.eval()(*inputs)
    network.train()
    loaded = torch.export.load(program.path).module()
    for answer, wanted in zip(loaded(*inputs), expected, strict=True):
        torch.testing.assert_close(answer, wanted, rtol=0, atol=1e-5)
    import onnxruntime

    session = onnxruntime.InferenceSession(onnx.path)
    feed = {entry.name: tensor.numpy() for entry, tensor in zip(session.get_inputs(), inputs, strict=True)}
    for answer, wanted in zip(session.run(None, feed), expected, strict=True):
        torch.testing.assert_close(torch.from_numpy(answer), wanted, rtol=0, atol=1e-5)
    for written in (program, onnx):
        assert written.difference <= 1e-5
        assert written.batch is None
        assert min(written.latency.median_ms, written.again.median_ms) > 0


def test_a_network_that_takes_one_row_alone_is_written_so(tmp_path):
    class OneRow(nn.Module):
        def forward(self, x):
            return x.view(4) * 2

    (written,) = export_network(OneRow(), torch.zeros(1, 4), tmp_path, formats=["python"])
    assert written.batch == 1
    assert "BATCH = 1" in written.path.read_text()


def test_a_network_that_asks_for_the_length_of_its_input_takes_any_number_of_rows(tmp_path):
    class Asking(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer = nn.Linear(4, 6)

        def forward(self, x):
            return self.layer(x).reshape(len(x), 2, 3)

    (written,) = export_network(Asking(), torch.zeros(1, 4), tmp_path, formats=["torch"])
    assert written.batch is None


def test_a_network_made_for_two_rows_and_not_for_one_is_refused(tmp_path):
    class TwoRows(nn.Module):
        def forward(self, x):
            return x.view(2, 4)

    with pytest.raises(ExportError, match=r"TwoRows does not take its example of shape \(1, 4\)"):
        export_network(TwoRows(), torch.zeros(1, 4), tmp_path, formats=["torch"])


def test_a_network_whose_answer_branches_on_values_is_refused_in_one_line(tmp_path, capfd):
    class Branching(nn.Module):
        def forward(self, x):
            return x if x.sum() > 0 else -x

    with pytest.raises(ExportError, match=r"cannot record Branching: .*control flow"):
        export_network(Branching(), torch.zeros(1, 4), tmp_path, formats=["torch"])
    assert list(tmp_path.iterdir()) == []
    assert "".join(capfd.readouterr()) == ""


class Lying:
    """A format whose files answer something else."""

    name = filename = "lying"
    use = ""

    def __init__(self, answer) -> None:
        self.answer = answer

    def write(self, network, inputs, path):
        path.write_text("")

    def read(self, path):
        return Loaded(self.answer)


@pytest.mark.parametrize(
    "answer",
    [
        lambda x: x + 1e-4,
        lambda x: x * torch.nan,
        lambda x: x[:, :1],
        lambda x: (x, x),
        # Right for one row alone.
        lambda x: x if len(x) == 1 else x.flip(0),
    ],
)
def test_a_file_that_answers_otherwise_is_refused(answer, tmp_path):
    with pytest.raises(ExportError, match=r"differ by .* more than 1e-05"):
        write_checked(nn.Identity(), torch.ones(1, 2), tmp_path, as_format=Lying(answer))


@pytest.mark.parametrize(
    ("network", "wrong"),
    [
        (lambda x: x.log(), lambda x: x.log().clamp(min=-9e9)),
        (lambda x: torch.complex(x, x), lambda x: torch.complex(x, -x)),
        (lambda x: x > 0, lambda x: x < 0),
    ],
)
def test_infinities_complex_numbers_and_truth_values_are_compared(network, wrong, tmp_path):
    class Calling(nn.Module):
        def forward(self, x):
            return network(x.abs())

    example = torch.tensor([[0.0, 1.0]])
    assert write_checked(Calling(), example, tmp_path, as_format=Lying(Calling())).difference == 0
    with pytest.raises(ExportError, match="differ by"):
        write_checked(Calling(), example, tmp_path, as_format=Lying(lambda x: wrong(x.abs())))


def test_a_difference_is_relative_to_large_outputs(tmp_path):
    written = write_checked(nn.Identity(), torch.full((1, 2), 1e6), tmp_path, as_format=Lying(lambda x: x + 1))
    assert 0 < written.difference < 1e-5


def test_an_unknown_format_is_told_and_nothing_is_written(tmp_path):
    with pytest.raises(UsageError, match=r"Unknown format 'onx'\. Did you mean 'onnx'"):
        export_network(nn.Identity(), torch.zeros(1, 2), tmp_path / "new", formats=["onx"])
    assert not (tmp_path / "new").exists()


def test_a_folder_that_cannot_be_written_is_told(tmp_path):
    occupied = tmp_path / "file"
    occupied.write_text("")
    with pytest.raises(UsageError, match="Cannot write the export"):
        export_network(nn.Identity(), torch.zeros(1, 2), occupied, formats=["python"])


def test_missing_packages_are_named_with_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setattr(graph_files, "_PACKAGES", ("onnx", "no_such_runtime"))
    with pytest.raises(UsageError, match=r"no_such_runtime.*pip install 'optiproxy\[onnx\]'"):
        export_network(nn.Identity(), torch.zeros(1, 2), tmp_path, formats=["onnx"])


@pytest.mark.slow
@needs_onnx
def test_latency_of_the_exported_network_is_measured():
    measured = graph_files.onnx_latency(nn.Linear(2, 2), torch.zeros(1, 2), seconds=0.001)
    assert measured.median_ms > 0
    assert measured.iqr_ms >= 0
