"""A search after SemiNAS (Luo, Tan, Wang, Qin, Chen and Liu, NeurIPS 2020, arXiv 2002.10389)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import final

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from optiproxy.baselines.baseline import Array, standardized
from optiproxy.baselines.predictor_based.regression import in_parts
from optiproxy.baselines.predictor_based.rounds import History, RoundConfig, RoundSearch, best_first
from optiproxy.proxy.convolution import Convolutions
from optiproxy.proxy.networks import Perceptron, Training, take, torch_stream, train
from optiproxy.spaces import Architecture, GraphBatch


@dataclass(frozen=True, kw_only=True)
class SemiNasConfig(RoundConfig):
    """As published where `SemiNas` does not say otherwise.

    Attributes:
        layers: Graph convolutions of the encoder.
        width: ``h`` units of the embedding.
        hidden: Units of the predictor.
        dropout: Share of the units of the encoder that is dropped.
        trade_off: Weight of the prediction in the loss, the paper's lambda; the rest is that of the reconstruction.
        first: Training on the trials.
        second: Training on the trials and the self-labeled architectures.
        repeats: How often the trials occur among these.
        unlabeled: Random architectures that the predictor labels itself.
        seeds: Best architectures, evaluated or self-labeled, from whose embeddings the gradient is followed.
        steps: Number of lengths of the gradient step that are tried: 1, 2, 3 ...
    """

    layers: int = 2
    width: int = 64
    hidden: int = 16
    dropout: float = 0.1
    trade_off: float = 0.8
    first: Training = field(
        default_factory=lambda: Training(epochs=200, batch=100, learning_rate=1e-3, weight_decay=1e-4)
    )
    second: Training = field(
        default_factory=lambda: Training(epochs=20, batch=100, learning_rate=1e-3, weight_decay=1e-4)
    )
    repeats: int = 10
    unlabeled: int = 500
    seeds: int = 50
    steps: int = 10


class _EncoderPredictorDecoder(nn.Module):
    """Graph -> embedding -> utility, and embedding -> one categorical distribution per decision."""

    def __init__(self, features: int, mask: Tensor, config: SemiNasConfig, generator: torch.Generator) -> None:
        super().__init__()
        self.encoder = Convolutions(
            features, width=config.width, layers=config.layers, rate=config.dropout, generator=generator
        )
        self.predictor = Perceptron([config.width, config.hidden, 1], generator=generator)
        self.decoder = Perceptron([config.width, config.width, mask.numel()], generator=generator)
        self._mask = mask

    def predict(self, embedding: Tensor) -> Tensor:
        """Map ``(b, h)`` embeddings to ``(b,)`` predicted utilities."""
        predicted: Tensor = self.predictor(embedding)
        return predicted[0, :, 0]

    def decode(self, embedding: Tensor) -> Tensor:
        """Map ``(b, h)`` embeddings to ``(b, d, c)`` log-probabilities."""
        logits: Tensor = self.decoder(embedding)[0].unflatten(1, self._mask.shape)
        # What lies beyond the choices of a decision has probability 0.
        return logits.masked_fill(~self._mask, -torch.inf).log_softmax(2)


@final
class SemiNas(RoundSearch[SemiNasConfig]):
    """An `Algorithm` like SemiNAS: encoder, predictor and decoder, trained on trials and on the predictor's own labels.

    Published: the three are first trained on the trials, by squared error and reconstruction in proportion 0.8 to 0.2;
    then the predictor labels many unlabeled architectures and all are trained on both, the trials repeated 10 times; then
    the embeddings of the best architectures are moved along the gradient of the prediction, by ever longer steps, and
    decoded. Width, predictor, rates, weights and repetitions are the published ones.

    Not as in the paper, hence "like": the encoder is a graph network and the decoder independent of the order of the
    decisions, where the paper has recurrent ones over a sequence; training is as much shorter (500 labeled by itself,
    not 10,000) as rounds of 10 trials from 10 random ones are more frequent than the paper's 4 rounds of 300. Several
    decodings compete for a round's queries by their prediction. See also `RoundSearch` and `scalarized_utilities`;
    targets are standardized.
    """

    settings = SemiNasConfig
    on_grid = True

    def _rank(self, history: History, rng: np.random.Generator) -> Sequence[Architecture]:
        config, generator = self._config, torch_stream(rng)
        drawn = self._space.examples(rng, config.unlabeled)
        unlabeled = history.seen.unseen(map(self._space.canonical, drawn))
        labels = standardized(history.utilities)
        features = self._graphs(history.architectures).operations.shape[2]
        model = _EncoderPredictorDecoder(features, self._space.choice_mask, config, generator)

        def predict(architectures: Sequence[Architecture]) -> Array:
            return in_parts(lambda graphs: model.predict(model.encoder(graphs)), self._graphs(architectures))

        # Semi-supervised: train on the trials, label what has no label, train on both.
        self._fit(model, history.architectures, labels, training=config.first, generator=generator)
        # A small space may be used up, and then nothing is left to label.
        guessed = predict(unlabeled) if unlabeled else np.empty(0)
        # Repeated, so that the few true labels weigh as much as the many guessed ones.
        both = [*history.architectures * config.repeats, *unlabeled]
        self._fit(
            model,
            both,
            np.concatenate([np.tile(labels, config.repeats), guessed]),
            training=config.second,
            generator=generator,
        )
        everyone = [*history.architectures, *unlabeled]
        order = np.argsort(-np.concatenate([labels, guessed]), kind="stable")
        # By true and guessed labels alike: what was never evaluated may be a start, too.
        seeds = list(dict.fromkeys(everyone[i] for i in order))[: config.seeds]
        moved = self._follow_gradient(model, self._graphs(seeds), generator)
        return best_first(history.seen.unseen(map(self._space.canonical, moved)), predict)

    def _fit(
        self,
        model: _EncoderPredictorDecoder,
        architectures: Sequence[Architecture],
        labels: Array,
        *,
        training: Training,
        generator: torch.Generator,
    ) -> None:
        weights = self._space.one_hot(architectures)
        graphs = self._space.encode(weights)
        targets = torch.from_numpy(labels).float()
        choices = weights.argmax(2)
        trade_off = self._config.trade_off

        def loss(rows: Tensor) -> Tensor:
            # lambda * prediction loss + (1 - lambda) * reconstruction loss
            embedding = model.encoder(take(graphs, rows), generator)
            error = (model.predict(embedding) - targets[rows]).square().mean()
            reconstruction = functional.nll_loss(model.decode(embedding).flatten(0, 1), choices[rows].flatten())
            return trade_off * error + (1 - trade_off) * reconstruction

        train(model, loss, len(architectures), training=training, generator=generator)

    def _follow_gradient(
        self, model: _EncoderPredictorDecoder, graphs: GraphBatch, generator: torch.Generator
    ) -> list[Architecture]:
        """Decode along the gradient from each graph's embedding, short steps first."""
        # The gradient of the predicted utility says where, in the space of embeddings, better architectures lie.
        embedding = model.encoder(graphs).detach().requires_grad_()
        (gradient,) = torch.autograd.grad(model.predict(embedding).sum(), embedding)
        found: list[Architecture] = []
        with torch.no_grad():
            for step in range(1, self._config.steps + 1):
                probabilities = model.decode(embedding + step * gradient).exp()
                # Of each the likeliest decoding, and a random one in case that it has been seen.
                found += self._space.draw(probabilities, 1, generator)
        return found
