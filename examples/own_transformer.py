"""The block of your own transformer, searched on text. Lines that end in `# <-` are what the search has added or changed.

Run ``python examples/own_transformer.py [BUDGET]``; a training takes about 3 seconds on one core.
"""

from __future__ import annotations

import sys
from pydoc_data.topics import topics

import torch
from torch import Tensor, nn

import optiproxy  # <-
from optiproxy.nn import Choice, Repeat, Value  # <-

CONTEXT = 32
MASK = nn.Transformer.generate_square_subsequent_mask(CONTEXT)
TEXT = torch.tensor(list("".join(map(topics.get, sorted(topics))).encode("ascii", "replace")))


class Attention(nn.MultiheadAttention):
    """Causal self-attention."""

    def forward(self, x: Tensor) -> Tensor:
        """Map ``(b, CONTEXT, width)`` to the same shape."""
        return super().forward(x, x, x, attn_mask=MASK, need_weights=False)[0]


class Residual(nn.Module):
    """Normalize, apply, add."""

    def __init__(self, width: int, inner: nn.Module) -> None:
        super().__init__()
        self.norm = Choice([nn.LayerNorm(width), nn.Identity], name="norm")  # <- was nn.LayerNorm(width)
        self.inner = inner

    def forward(self, x: Tensor) -> Tensor:
        """Keep the shape."""
        return x + self.inner(self.norm(x))


def block(width: int) -> nn.Module:
    """Attention and a feed-forward layer."""
    hidden = width * Value([1, 2, 4], name="expansion")  # <- was 4
    activation = Choice([nn.ReLU, nn.GELU, nn.Tanh], name="activation")  # <- was nn.GELU()
    forward = nn.Sequential(nn.Linear(width, hidden), activation, nn.Linear(hidden, width))
    heads = Value([1, 2, 3, 4], name="heads")  # <- was 4
    return nn.Sequential(Residual(width, Attention(width, heads, batch_first=True)), Residual(width, forward))


def model() -> nn.Module:
    """Bytes in, the next byte's logits out."""
    width = Value([32, 48], name="width")  # <- was 32
    blocks = Repeat(lambda _: block(width), [1, 2, 3], name="depth")  # <- was block(width)
    return nn.Sequential(nn.Embedding(128, width), blocks, nn.LayerNorm(width), nn.Linear(width, 128))


def train(network: nn.Module) -> dict[str, float]:
    """Bits per character on text that was not trained on."""
    optimizer = torch.optim.AdamW(network.parameters(), lr=3e-3)
    draw = torch.Generator().manual_seed(0)
    for step in range(101):
        low, high = (len(TEXT) // 2, len(TEXT)) if step == 100 else (0, len(TEXT) // 2)  # validated on the second half
        starts = torch.randint(low, high - CONTEXT - 1, (32, 1), generator=draw)
        text = TEXT[starts + torch.arange(CONTEXT + 1)]
        loss: Tensor = nn.functional.cross_entropy(network(text[:, :-1]).flatten(0, 1), text[:, 1:].flatten())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()  # the last one comes after the loss that is returned
    return {"bits": loss.item() / 0.6931}


if __name__ == "__main__":
    torch.set_num_threads(1)
    budget = int(sys.argv[1]) if len(sys.argv) > 1 else 20
    space = optiproxy.Space.from_model(model).where(lambda v: v["width"] % v["heads"] == 0)  # <-
    found = optiproxy.search(space, train, budget=budget, objectives=["bits:min"])  # <- was train(model())
    print(found.best_architecture, found.best and dict(found.best.metrics))  # <- was print(found)
