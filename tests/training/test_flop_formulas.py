"""Counts of single operations against numbers worked out by hand, which stand here as products of what they are made of."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn
from torch.nn import functional
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from optiproxy.training.flops import flops

IMAGE = torch.zeros(1, 3, 16, 16)
PIXELS = 3 * 16 * 16
VECTOR = torch.zeros(1, 3)
MATRIX = torch.zeros(3, 3)
HEADS = torch.zeros(1, 2, 5, 8)
SEQUENCE = torch.zeros(1, 5, 4)
INDICES = torch.zeros(1, 4, dtype=torch.long)


class Calling(nn.Module):
    """A function as a network."""

    def __init__(self, function, *parts: nn.Module) -> None:
        super().__init__()
        self.function = function
        self.parts = nn.ModuleList(parts)

    def forward(self, *inputs):
        return self.function(*self.parts, *inputs)


class Inferring(nn.Module):
    """The same network, run the way that serving code runs it."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    @torch.inference_mode()
    def forward(self, *inputs):
        return self.network(*inputs)


def packed(recurrent: nn.Module, sequence: torch.Tensor) -> torch.Tensor:
    given = pack_padded_sequence(sequence, torch.tensor([4]), batch_first=True)
    return pad_packed_sequence(recurrent(given)[0], batch_first=True)[0]


# One step with 4 inputs and 3 hidden units: the products of all gates, and what each unit does beside them.
RNN_STEP = 2 * 3 * (4 + 3) + 3 * 2
LSTM_STEP = 4 * 2 * 3 * (4 + 3) + 3 * 13
GRU_STEP = 3 * 2 * 3 * (4 + 3) + 3 * 10
SCORES = 2 * 5 * 5

NETWORKS = {
    "linear": (nn.Linear(3, 4), VECTOR, 2 * 3 * 4),
    "convolution": (nn.Conv2d(3, 4, 3), IMAGE, 2 * 3 * 9 * 4 * 14 * 14),
    "grouped convolution": (nn.Conv2d(4, 4, 3, groups=4), torch.zeros(1, 4, 5, 5), 2 * 9 * 4 * 9),
    "convolution of a sequence": (nn.Conv1d(3, 4, 3), torch.zeros(1, 3, 8), 2 * 3 * 3 * 4 * 6),
    "transposed convolution": (nn.ConvTranspose2d(3, 4, 3), IMAGE, 2 * 3 * 9 * 4 * 16 * 16),
    "matrix times vector": (Calling(lambda v: MATRIX @ v[0]), VECTOR, 2 * 3 * 3),
    "matrix times vector plus vector": (Calling(lambda v: torch.addmv(v[0], MATRIX, v[0])), VECTOR, 2 * 3 * 3),
    "inner product": (Calling(lambda v: v[0] @ v[0]), VECTOR, 2 * 3),
    "outer product": (Calling(lambda v: torch.outer(v[0], v[0])), VECTOR, 3 * 3),
    "outer product added": (Calling(lambda v: torch.addr(MATRIX, v[0], v[0])), VECTOR, 2 * 3 * 3),
    "sum of products": (Calling(lambda v: torch.addbmm(v[0], v, v)), torch.zeros(2, 3, 3), 2 * 2 * 3**3),
    # Three inputs times three by four for each of five outputs, four products for each; a bias.
    "bilinear": (nn.Bilinear(3, 4, 5), (VECTOR, torch.zeros(1, 4)), 5 * (2 * 3 * 4 + 2 * 4) + 5),
    "bilinear without bias": (nn.Bilinear(3, 4, 5, bias=False), (VECTOR, torch.zeros(1, 4)), 5 * (2 * 3 * 4 + 2 * 4)),
    "einsum of matrices": (Calling(lambda m: torch.einsum("bij,bjk->bik", m, m)), MATRIX[None], 2 * 3**3),
    # From the left: an outer product, then the matrix on it.
    "einsum of a form": (Calling(lambda v: torch.einsum("bi,bj,ij->b", v, v, MATRIX)), VECTOR, 9 + 2 * 9),
    "einsum that sums": (Calling(lambda v: torch.einsum("bi->b", v)), VECTOR, 3),
    "attention": (
        Calling(lambda x: functional.scaled_dot_product_attention(x, x, x)),
        HEADS,
        SCORES * (2 * 8 + 2 * 8 + 5),
    ),
    "causal attention": (
        Calling(lambda x: functional.scaled_dot_product_attention(x, x, x, is_causal=True)),
        HEADS,
        SCORES * (2 * 8 + 2 * 8 + 5),
    ),
    "attention with shared keys": (
        Calling(lambda x: functional.scaled_dot_product_attention(x, x[:, :1], x[:, :1], enable_gqa=True)),
        HEADS,
        SCORES * (2 * 8 + 2 * 8 + 5),
    ),
    "attention with narrow values": (
        Calling(lambda x: functional.scaled_dot_product_attention(x, x, x[..., :4])),
        HEADS,
        # This way queries and keys are scaled first.
        SCORES * (2 * 8 + 2 * 4 + 5) + 2 * HEADS.numel(),
    ),
    "multi-head attention": (
        Calling(lambda part, x: part(x, x, x, need_weights=False)[0], nn.MultiheadAttention(16, 4, batch_first=True)),
        torch.zeros(1, 5, 16),
        # Four projections, then four heads of width four.
        4 * 2 * 5 * 16 * 16 + 4 * 5 * 5 * (2 * 4 + 2 * 4 + 5),
    ),
    "RNN": (nn.RNN(4, 3, batch_first=True), SEQUENCE, 5 * RNN_STEP),
    "LSTM": (nn.LSTM(4, 3, batch_first=True), SEQUENCE, 5 * LSTM_STEP),
    "GRU": (nn.GRU(4, 3, batch_first=True), SEQUENCE, 5 * GRU_STEP),
    "LSTM in both directions": (nn.LSTM(4, 3, batch_first=True, bidirectional=True), SEQUENCE, 2 * 5 * LSTM_STEP),
    "packed RNN": (Calling(packed, nn.RNN(4, 3, batch_first=True)), SEQUENCE, 4 * RNN_STEP),
    "packed LSTM": (Calling(packed, nn.LSTM(4, 3, batch_first=True)), SEQUENCE, 4 * LSTM_STEP),
    "packed GRU": (Calling(packed, nn.GRU(4, 3, batch_first=True)), SEQUENCE, 4 * GRU_STEP),
    "RNN cell": (nn.RNNCell(4, 3), SEQUENCE[:, 0], RNN_STEP),
    "LSTM cell": (nn.LSTMCell(4, 3), SEQUENCE[:, 0], LSTM_STEP),
    "GRU cell": (nn.GRUCell(4, 3), SEQUENCE[:, 0], GRU_STEP),
    "batch normalization": (nn.BatchNorm2d(3), IMAGE, 2 * PIXELS),
    "batch normalization by the input": (nn.BatchNorm2d(3, track_running_stats=False), IMAGE, 7 * PIXELS),
    "instance normalization": (nn.InstanceNorm2d(3), IMAGE, 7 * PIXELS),
    "instance normalization of a sequence": (nn.InstanceNorm1d(3, affine=True), IMAGE[..., 0], 7 * 3 * 16),
    "instance normalization by fixed statistics": (nn.InstanceNorm2d(3, track_running_stats=True), IMAGE, 2 * PIXELS),
    "layer normalization": (nn.LayerNorm(16), IMAGE, 7 * PIXELS),
    "group normalization": (nn.GroupNorm(1, 3), IMAGE, 7 * PIXELS),
    "root mean square normalization": (nn.RMSNorm(16), IMAGE, 4 * PIXELS + 2 * 3 * 16),
    "nearest upsampling": (nn.Upsample(scale_factor=2), IMAGE, 0),
    "nearest upsampling, exact": (nn.Upsample(scale_factor=2, mode="nearest-exact"), IMAGE, 0),
    "bilinear upsampling": (nn.Upsample(scale_factor=2, mode="bilinear"), IMAGE, 4 * PIXELS * 2 * 4),
    "bicubic upsampling": (nn.Upsample(scale_factor=2, mode="bicubic"), IMAGE, 4 * PIXELS * 2 * 16),
    "sampling": (
        Calling(lambda x: functional.grid_sample(x, torch.zeros(1, 4, 4, 2), align_corners=False)),
        IMAGE,
        3 * 4 * 4 * 2 * 4,
    ),
    "grid of a sampling": (
        Calling(lambda x: functional.affine_grid(torch.eye(2, 3)[None], list(x.shape), align_corners=False)),
        IMAGE,
        16 * 16 * 2 * 2 * 3,
    ),
    "cross product": (Calling(lambda x: torch.cross(x, x, dim=1)), IMAGE, 3 * PIXELS),
    "unfold": (Calling(lambda x: functional.unfold(x, 3)), IMAGE, 0),
    "fold": (Calling(lambda x: functional.fold(functional.unfold(x, 3), (16, 16), 3)), IMAGE, 3 * 9 * 14 * 14),
    "embedding": (nn.Embedding(5, 3), INDICES, 0),
    "bag of embeddings": (nn.EmbeddingBag(5, 3), INDICES, 4 * 3),
    "largest of embeddings": (nn.EmbeddingBag(5, 3, mode="max"), INDICES, 4 * 3),
    "weighted bag of embeddings": (
        Calling(lambda part, i: part(i, per_sample_weights=torch.ones(1, 4)), nn.EmbeddingBag(5, 3, mode="sum")),
        INDICES,
        2 * 4 * 3,
    ),
    "average pooling": (nn.AvgPool2d(2), IMAGE, PIXELS),
    "average pooling of a sequence": (nn.AvgPool1d(2), IMAGE[0], PIXELS),
    "largest in three axes": (nn.MaxPool3d(2), torch.zeros(1, 1, 4, 4, 4), 4**3),
    "largest of one image": (nn.MaxPool2d(2), IMAGE[0], PIXELS),
    "pooling to a size": (nn.AdaptiveAvgPool2d(4), IMAGE, PIXELS),
    # Rows 0 and 1, 1 and 2, 3 of three for two, and so on: windows overlap.
    "pooling to a size that does not divide": (nn.AdaptiveAvgPool1d(2), torch.zeros(1, 3, 3), 3 * (2 + 2)),
    "largest to a size in three axes": (nn.AdaptiveMaxPool3d(2), torch.zeros(1, 1, 4, 4, 4), 4**3),
    "unpooling": (
        Calling(
            lambda x: functional.max_unpool2d(x[..., ::2, ::2], torch.arange(64).view(1, 1, 8, 8).expand(1, 3, 8, 8), 2)
        ),
        IMAGE,
        0,
    ),
    "gated linear unit": (nn.GLU(dim=1), torch.zeros(1, 8), 2 * 4),
    "activations": (
        nn.Sequential(nn.PReLU(), nn.Hardswish(), nn.RReLU(), nn.LogSigmoid(), nn.GELU(), nn.Hardswish(inplace=True)),
        IMAGE,
        6 * PIXELS,
    ),
    "padding": (nn.Sequential(nn.ReflectionPad2d(1), nn.ReplicationPad2d(1), nn.CircularPad2d(1)), IMAGE, 0),
    "shuffling": (nn.Sequential(nn.ChannelShuffle(2), nn.PixelShuffle(2)), torch.zeros(1, 4, 4, 4), 0),
    "noise": (Calling(lambda x: x + torch.randn_like(x)), IMAGE, PIXELS),
    "length of vectors": (Calling(lambda x: torch.linalg.vector_norm(x, dim=1)), IMAGE, 2 * PIXELS),
    "arithmetic of indices": (Calling(lambda x: x[:, (torch.arange(3) + 1) % 3]), IMAGE, 0),
    "lazy": (
        nn.Sequential(nn.LazyConv2d(4, 3), nn.Flatten(), nn.LazyLinear(3)),
        torch.zeros(1, 3, 8, 8),
        2 * 3 * 9 * 4 * 6 * 6 + 2 * 144 * 3,
    ),
}
pytestmark = pytest.mark.filterwarnings("ignore:Lazy modules:UserWarning")


@pytest.mark.parametrize(("network", "example", "expected"), NETWORKS.values(), ids=NETWORKS)
def test_operations_are_counted_by_hand_and_no_warning_is_false(network, example, expected):
    assert flops(network, example) == expected
    assert flops(Inferring(network), example) == expected


sizes = st.integers(1, 6)


@given(sizes, sizes, sizes, sizes)
def test_a_bilinear_layer_counts_like_its_einsum(rows, left, right, outputs):
    layer = nn.Bilinear(left, right, outputs, bias=False)
    as_einsum = Calling(lambda x, y: torch.einsum("bi,kij,bj->bk", x, layer.weight, y))
    example = (torch.zeros(rows, left), torch.zeros(rows, right))
    products = 2 * rows * outputs * right * (left + 1)
    assert flops(layer, example) == products
    if min(left, right, outputs, rows) > 1:  # einsum multiplies axes of one without summing
        assert flops(as_einsum, example) == products


@given(sizes, sizes)
def test_pooling_to_a_size_counts_every_window(size, out):
    windows = sum(-(-(i + 1) * size // out) - i * size // out for i in range(out))
    found = flops(nn.AdaptiveMaxPool2d((out, 1)), torch.zeros(1, 2, size, 3))
    assert found == 2 * 3 * windows
