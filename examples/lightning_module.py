"""A LightningModule, trained by a Trainer. What is searched stands in it; a callback reports the curve.

Run ``python examples/lightning_module.py [BUDGET]`` (needs `lightning`); a training takes about a second on one core.
"""

from __future__ import annotations

import logging
import sys

import lightning
import optuna
import torch
from sklearn.datasets import load_digits
from torch import Tensor, nn
from torch.utils.data import DataLoader

import optiproxy
from optiproxy.nn import Choice, Repeat, Value

logging.getLogger("lightning.pytorch").setLevel(logging.WARNING)
IMAGES, LABELS = map(torch.tensor, load_digits(return_X_y=True))
DATA = list(zip(IMAGES.float() / 16, LABELS, strict=True))
QUIET = ("logger", "enable_checkpointing", "enable_progress_bar", "enable_model_summary", "num_sanity_val_steps")


class Classifier(lightning.LightningModule):
    """A multi-layer perceptron, of which some parts are to be chosen."""

    def __init__(self) -> None:
        super().__init__()
        self.rate = Value([1e-3, 3e-3, 1e-2], name="rate")
        width = Value([16, 32, 64, 128], name="width")
        act = Choice([nn.ReLU, nn.GELU, nn.Tanh], name="activation")
        hidden = Repeat(lambda _: nn.Sequential(nn.Linear(width, width), act), [0, 1, 2, 3], name="depth")
        self.layers = nn.Sequential(nn.Linear(64, width), act, hidden, nn.Linear(width, 10))

    def training_step(self, batch: list[Tensor], _: int) -> Tensor:
        """Cross-entropy of a batch."""
        return nn.functional.cross_entropy(self.layers(batch[0]), batch[1])

    def validation_step(self, batch: list[Tensor], _: int) -> None:
        """Percent of a batch that is right."""
        self.log("accuracy", 100 * (self.layers(batch[0]).argmax(1) == batch[1]).float().mean())

    def configure_optimizers(self) -> torch.optim.Optimizer:
        """Adam."""
        return torch.optim.AdamW(self.parameters(), lr=self.rate)


class Report(lightning.Callback):
    """Tell the trial after each epoch how it goes, and end where it goes badly."""

    def __init__(self, trial: optiproxy.TrainingTrial) -> None:
        self.trial = trial

    def on_validation_epoch_end(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule) -> None:
        """Called by Lightning."""
        self.trial.report(float(trainer.callback_metrics["accuracy"]), pl_module.current_epoch)
        if self.trial.should_prune():
            raise optuna.TrialPruned


def train(module: Classifier, trial: optiproxy.TrainingTrial) -> float:
    """Train on two thirds of the digits, and validate on the rest. The search shows its progress and keeps the weights."""
    torch.manual_seed(0)
    fitting, rest = DataLoader(DATA[:1200], batch_size=64, shuffle=True), DataLoader(DATA[1200:], batch_size=600)
    trainer = lightning.Trainer(max_epochs=5, callbacks=Report(trial), accelerator="cpu", **dict.fromkeys(QUIET, False))
    trainer.fit(module, fitting, rest)
    trial.save(module)
    return float(trainer.callback_metrics["accuracy"])


if __name__ == "__main__":
    torch.set_num_threads(1)
    budget = int(sys.argv[1]) if len(sys.argv) > 1 else 20
    space = optiproxy.Space.from_model(Classifier)
    found = optiproxy.search(space, train, budget=budget)
    print(found.best_architecture, dict(found.best.metrics))
