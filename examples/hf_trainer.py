"""A transformer of Hugging Face's, trained by its Trainer: by `optiproxy.search`, then by the Trainer's own search.

Run ``python examples/hf_trainer.py [BUDGET]`` (needs `transformers` and `accelerate`); a training takes about 3 seconds on one core.
"""

from __future__ import annotations

import sys
import tempfile

import optuna
import torch
from transformers import BertConfig, BertForSequenceClassification, PrinterCallback, Trainer, TrainingArguments
from transformers.trainer_callback import TrainerCallback

import optiproxy

TEXTS = torch.randint(12, (1500, 16), generator=torch.Generator().manual_seed(0))
DATA = [{"input_ids": text, "labels": int((text == 2).sum() > (text == 3).sum())} for text in TEXTS]
SETTINGS = {"eval_strategy": "epoch", "save_strategy": "no", "report_to": "none", "disable_tqdm": True, "use_cpu": True}


def network(trial: optuna.trial.BaseTrial | None) -> BertForSequenceClassification:
    """What the search chooses of the network; the Trainer makes one without a trial, too."""
    trial = trial or optuna.trial.FixedTrial({"heads": 2, "head_size": 8, "layers": 1, "activation": "gelu"})
    heads = trial.suggest_categorical("heads", [1, 2, 4])
    width = heads * trial.suggest_categorical("head_size", [8, 16])
    layers = trial.suggest_int("layers", 1, 3)
    act = trial.suggest_categorical("activation", ["gelu", "relu", "silu"])
    sizes = {"hidden_size": width, "num_attention_heads": heads, "num_hidden_layers": layers, "intermediate_size": 64}
    return BertForSequenceClassification(BertConfig(vocab_size=12, **sizes, hidden_act=act))


def arguments(trial: optuna.trial.BaseTrial) -> dict[str, float]:
    """What it chooses of the `TrainingArguments`."""
    return {"learning_rate": trial.suggest_float("learning_rate", 3e-4, 1e-2, log=True)}


def trainer(folder: str, fixed: optuna.trial.BaseTrial | None = None) -> Trainer:
    """A Trainer of a fixed trial, or of the one that it is given; it shows nothing, because the search does."""
    chosen = SETTINGS if fixed is None else SETTINGS | arguments(fixed)
    args = TrainingArguments(folder, num_train_epochs=4, per_device_train_batch_size=50, **chosen)
    data = {"train_dataset": DATA[:1000], "eval_dataset": DATA[1000:]}
    made = Trainer(args=args, model_init=lambda given: network(fixed or given), **data)  # made after it has seeded
    made.remove_callback(PrinterCallback)
    return made


class Report(TrainerCallback):
    """Tell the trial after each epoch how it goes, and end where it goes badly."""

    def __init__(self, trial: optiproxy.TrainingTrial) -> None:
        self.trial = trial

    def on_evaluate(self, *_: object, metrics: dict[str, float], **__: object) -> None:
        """Called by the Trainer."""
        self.trial.report(metrics["eval_loss"], round(metrics["epoch"]))
        if self.trial.should_prune():
            raise optuna.TrialPruned


def train(architecture: dict[str, int | float | str], trial: optiproxy.TrainingTrial) -> dict[str, float]:
    """The loss on texts that were not trained on."""
    made = trainer(str(trial.folder), optuna.trial.FixedTrial(architecture))
    made.add_callback(Report(trial))
    made.train()
    trial.save(made.model)
    return {"loss": made.evaluate()["eval_loss"]}


if __name__ == "__main__":
    torch.set_num_threads(1)
    budget = int(sys.argv[1]) if len(sys.argv) > 1 else 20
    space = optiproxy.Space.from_optuna(lambda trial: (network(trial), arguments(trial)))
    found = optiproxy.search(space, train, budget=budget, objectives=["loss:min"])
    print(found.best_architecture, dict(found.best.metrics))
    sampler = optiproxy.OptiProxySampler(seed=0)
    with tempfile.TemporaryDirectory() as folder:
        print(trainer(folder).hyperparameter_search(arguments, n_trials=budget, backend="optuna", sampler=sampler))
