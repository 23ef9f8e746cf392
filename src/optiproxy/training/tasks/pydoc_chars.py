"""`pydoc-chars`: recurrent cells as language models, trained for real within seconds (docs/decisions/pydoc-chars.md)."""

from __future__ import annotations

import platform
from typing import TYPE_CHECKING, Any

from optiproxy.metrics import Goal, Metric, Objective
from optiproxy.spaces import Architecture
from optiproxy.spaces.published.recurrent import RecurrentSpace
from optiproxy.task.task import Source
from optiproxy.training.tasks import text_data
from optiproxy.training.tasks.network_task import COSTS, TRAINING_SECONDS, NetworkTask

if TYPE_CHECKING:
    from torch import Tensor

    from optiproxy.training.tasks.recurrent_network import RecurrentNetwork
    from optiproxy.training.tasks.text_data import Text


class PydocCharsTask(NetworkTask["RecurrentNetwork", "Text"]):
    """Predict the next character of Python's own help topics with one recurrent cell.

    Other versions of Python have other help topics, and so other values: the source names the version, and its digest is
    that of the text. Latency and floating-point operations are of reading 16 characters. A training whose loss grows
    beyond all bounds has failed.

    Raises:
        DataError: If this Python comes without its help topics.
    """

    name = "pydoc-chars"
    space = cells = RecurrentSpace()
    metrics = (
        Metric(name="val_bits_per_char", direction="min", unit="bits"),
        Metric(name="test_bits_per_char", direction="min", unit="bits", reported_only=True),
        *COSTS,
        TRAINING_SECONDS,
    )
    goal = Goal((Objective("val_bits_per_char", "min"),))
    fidelities = (1, 3)

    def __init__(self) -> None:
        super().__init__()
        self.source = Source(
            "pydoc-topics-v1",
            f"trained here on the help topics of Python {platform.python_version()} (pydoc_data.topics)",
            licence="PSF-2.0",
            digest=text_data.digest(),
        )

    def data(self) -> Text:
        return text_data.load()

    def arguments(self, architecture: Architecture) -> dict[str, Any]:
        cell = self.cells.cell(architecture)
        return {
            "nodes": tuple((node.operation, node.inputs) for node in cell.nodes),
            "hidden": cell.hidden,
            "characters": self.data().characters,
            "width": 48,
        }

    def build(self, arguments: dict[str, Any]) -> RecurrentNetwork:
        from optiproxy.training.tasks.recurrent_network import RecurrentNetwork

        return RecurrentNetwork(**arguments)

    def example(self) -> Tensor:
        import torch

        return torch.arange(16)[None]

    def fit(self, network: RecurrentNetwork, data: Text, *, epochs: int, seed: int) -> None:
        from optiproxy.training.tasks.text_recipe import TextRecipe, fit

        recipe = TextRecipe(batch=32, window=16, rate=0.015, clip=1.0)
        fit(network, data.train, recipe=recipe, epochs=epochs, seed=seed)

    def score(self, network: RecurrentNetwork, data: Text) -> dict[str, float]:
        from optiproxy.training.tasks.text_recipe import bits_per_character

        return {
            "val_bits_per_char": bits_per_character(network, data.validation),
            "test_bits_per_char": bits_per_character(network, data.test),
        }
