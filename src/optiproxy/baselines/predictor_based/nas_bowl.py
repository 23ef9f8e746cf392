"""NAS-BOWL and its Weisfeiler-Lehman kernel (Ru, Wan, Dong and Osborne, ICLR 2021, arXiv 2006.07556)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from typing import final

import numpy as np
from scipy.special import ndtr

from optiproxy.baselines.baseline import Array, standardized
from optiproxy.baselines.predictor_based.labels import labels
from optiproxy.baselines.predictor_based.regression import BayesianLinear
from optiproxy.baselines.predictor_based.rounds import History, RoundConfig, RoundSearch, best_first, mutants
from optiproxy.optimizer.parts import Schedule
from optiproxy.optimizer.schedule import Batches
from optiproxy.spaces import Architecture, GraphBatch

Histogram = Counter[Hashable]
"""How often each Weisfeiler-Lehman label occurs in a graph."""


@dataclass(frozen=True, kw_only=True)
class NasBowlConfig(RoundConfig):
    """As published.

    Attributes:
        depths: Numbers of Weisfeiler-Lehman iterations, of which the likeliest is taken.
        parents: Best trials that are mutated.
        candidates: Architectures among which a round chooses; one half are mutants, the other half random.
        schedule: When the process is fitted: after 10 random trials and every 5.
    """

    depths: tuple[int, ...] = (0, 1, 2)
    parents: int = 10
    candidates: int = 200
    schedule: Schedule = field(default_factory=lambda: Batches(10, 5))


@final
class NasBowl(RoundSearch[NasBowlConfig]):
    """An `Algorithm`: a Gaussian process with a Weisfeiler-Lehman graph kernel, expected improvement, mutated candidates.

    Published: the kernel, the choice of its depth and of the noise by marginal likelihood, 10 random trials and rounds
    of 5. The paper models the logarithm of the validation error. Where any metric may be the objective there is no error
    whose logarithm could be taken; here it is the logarithm of the distance to the best trial, in medians of that
    distance, which tells the good ones apart in the same way and lets no failure dominate.

    Further differences, for the equal terms of a comparison: see `RoundSearch` and `scalarized_utilities`.
    """

    settings = NasBowlConfig
    on_grid = True

    def _rank(self, history: History, rng: np.random.Generator) -> Sequence[Architecture]:
        config = self._config
        half = config.candidates // 2
        # Mutants exploit, random architectures explore; both halves compete for the same queries.
        near = mutants(self._space, history.best(config.parents), half, seen=history.seen, rng=rng)
        anywhere = map(self._space.canonical, self._space.examples(rng, config.candidates - half))
        candidates = history.seen.unseen([*near, *anywhere])
        gaps = history.utilities.max() - history.utilities
        # In place of the logarithm of the error, see above.
        targets = standardized(-np.log1p(gaps / np.median(gaps[gaps > 0])))
        trials = histograms(self._graphs(history.architectures), max(config.depths))
        processes: dict[int, BayesianLinear] = {}
        vocabularies: dict[int, dict[Hashable, int]] = {}
        for depth in config.depths:
            counted = [histogram[depth] for histogram in trials]
            # Labels of the trials alone: of others nothing can be learned, and `features` counts them together.
            vocabularies[depth] = {label: i for i, label in enumerate(dict.fromkeys(x for h in counted for x in h))}
            processes[depth] = BayesianLinear.fit(features(counted, vocabularies[depth]), targets)
        # The depth is a hyperparameter of the kernel, chosen by marginal likelihood as in the paper.
        depth = max(config.depths, key=lambda d: processes[d].evidence)

        def acquisition(architectures: Sequence[Architecture]) -> Array:
            counted = [histogram[depth] for histogram in histograms(self._graphs(architectures), depth)]
            mean, std = processes[depth](features(counted, vocabularies[depth]))
            return expected_improvement(mean, std, float(targets.max()))

        return best_first(candidates, acquisition)


def expected_improvement(mean: Array, std: Array, best: float) -> Array:
    """Return ``(b,)`` expectations of ``max(y - best, 0)``, normal ``y`` (Jones, Schonlau and Welch 1998, eq. 15)."""
    z = (mean - best) / std
    return std * (z * ndtr(z) + np.exp(-0.5 * z * z) / np.sqrt(2 * np.pi))


def histograms(graphs: GraphBatch, depth: int) -> list[list[Histogram]]:
    """Count the labels of each discrete graph: ``depth + 1`` histograms, cumulative over the iterations.

    This is the Weisfeiler-Lehman subtree kernel's relabeling (Shervashidze et al., JMLR 2011). A node's label is first its
    operation, then, in each iteration, its label together with those of its predecessors. Nodes on no path from an input
    to an output take no part.
    """
    incoming = graphs.adjacency.transpose(1, 2).bool().tolist()
    return [
        _histograms(o, _live(i, graphs.inputs, graphs.outputs), depth)
        for o, i in zip(labels(graphs), incoming, strict=True)
    ]


def features(counted: Sequence[Histogram], vocabulary: dict[Hashable, int]) -> Array:
    """Return ``(b, q)`` counts of each label of the vocabulary, divided so that every row has a Euclidean length of 1.

    The last column holds the length of all labels outside the vocabulary together. Products with rows that have none,
    those of the trials, are the normalized Weisfeiler-Lehman kernel, and so is the product of a row with itself.
    """
    found = np.zeros((len(counted), len(vocabulary) + 1))
    for row, histogram in zip(found, counted, strict=True):
        for label, count in histogram.items():
            if label in vocabulary:
                row[vocabulary[label]] = count
            else:
                row[-1] += count**2
        # Without it, an architecture unlike all trials would look certain: its prior variance is its squared length.
        row[-1] **= 0.5
    lengths: Array = np.linalg.norm(found, axis=1, keepdims=True)
    return found / np.where(lengths > 0, lengths, 1.0)


def _histograms(operations: Sequence[int], incoming: dict[int, list[int]], depth: int) -> list[Histogram]:
    labels: dict[int, Hashable] = {node: operations[node] for node in incoming}
    counts: Histogram = Counter(labels.values())
    found = [counts.copy()]
    for _ in range(depth):
        # Predecessors are a multiset, hence sorted; labels of different depths have no order but that of their text.
        labels = {
            n: (labels[n], tuple(sorted((labels[i] for i in before), key=repr))) for n, before in incoming.items()
        }
        counts.update(labels.values())
        found.append(counts.copy())
    return found


def _live(incoming: Sequence[Sequence[bool]], inputs: Sequence[int], outputs: Sequence[int]) -> dict[int, list[int]]:
    """Map each node on a path from an input to an output to its predecessors."""
    # Forwards what the input reaches, backwards what the output needs: only what is both can matter to the training.
    before = [[i for i in range(node) if row[i]] for node, row in enumerate(incoming)]
    reached: set[int] = set()
    for node, sources in enumerate(before):
        if node in inputs or reached.intersection(sources):
            reached.add(node)
    needed: set[int] = set()
    for node in reversed(range(len(before))):
        if node in outputs or node in needed:
            needed.update((node, *before[node]))
    live = reached & needed
    return {node: [i for i in before[node] if i in live] for node in sorted(live)}
