"""The algorithms and published spaces that come with the package, by name. Listing them imports none of them."""

from __future__ import annotations

from optiproxy.registry.entries import AlgorithmEntry, Entry

ALGORITHMS = (
    # The method itself, as it is recommended and as it was published.
    AlgorithmEntry(
        name="optiproxy",
        target="optiproxy.optimizer.optiproxy:OptiProxy",
        description="gradient ascent through a learned differentiable proxy",
        paper="Lyu, Cui, Shi, Li 2025, arXiv 2509.05656",
    ),
    AlgorithmEntry(
        name="optiproxy-published",
        target="optiproxy.optimizer.paper:published",
        description="the paper's own configuration, without leaks",
        paper="Lyu, Cui, Shi, Li 2025, arXiv 2509.05656",
    ),
    # Published methods without a maintained package, written here.
    AlgorithmEntry(
        name="random",
        target="optiproxy.baselines:RandomSearch",
        description="uniform draws without repetition",
        paper="Li, Talwalkar 2019, arXiv 1902.07638",
    ),
    AlgorithmEntry(
        name="regularized-evolution",
        target="optiproxy.baselines:RegularizedEvolution",
        description="aging evolution with tournaments of 3 in a population of 10",
        paper="Real, Aggarwal, Huang, Le 2019, arXiv 1802.01548",
    ),
    AlgorithmEntry(
        name="local-search",
        target="optiproxy.baselines.local_search:LocalSearch",
        description="to the first better neighbour, then a new start",
        paper="White, Nolen, Savani 2021, arXiv 2005.02960",
    ),
    AlgorithmEntry(
        name="reinforce",
        target="optiproxy.baselines.reinforce:Reinforce",
        description="policy gradient over independent decisions",
        paper="Ying et al. 2019, arXiv 1902.09635",
    ),
    AlgorithmEntry(
        name="bananas",
        target="optiproxy.baselines.predictor_based.bananas:Bananas",
        description="ensemble on path encodings, Thompson sampling among mutants",
        paper="White, Neiswanger, Savani 2021, arXiv 1910.11858",
    ),
    AlgorithmEntry(
        name="npenas",
        target="optiproxy.baselines.predictor_based.npenas:Npenas",
        description="evolution guided by a graph isomorphism network",
        paper="Wei et al. 2020, arXiv 2003.12857",
    ),
    AlgorithmEntry(
        name="weaknas",
        target="optiproxy.baselines.predictor_based.weaknas:WeakNas",
        description="progressively refitted weak predictors",
        paper="Wu et al. 2021, arXiv 2102.10490",
    ),
    AlgorithmEntry(
        name="bonas",
        target="optiproxy.baselines.predictor_based.bonas:Bonas",
        description="graph network with a Bayesian linear head, evolved confidence bound",
        paper="Shi et al. 2020, arXiv 1911.09336",
    ),
    AlgorithmEntry(
        name="nas-bowl",
        target="optiproxy.baselines.predictor_based.nas_bowl:NasBowl",
        description="Gaussian process with a Weisfeiler-Lehman kernel",
        paper="Ru, Wan, Dong, Osborne 2021, arXiv 2006.07556",
    ),
    AlgorithmEntry(
        name="seminas",
        target="optiproxy.baselines.predictor_based.seminas:SemiNas",
        description="like SemiNAS: encoder, predictor and decoder trained on their own labels",
        paper="Luo et al. 2020, arXiv 2002.10389",
    ),
    AlgorithmEntry(
        name="neural-predictor",
        target="optiproxy.baselines.predictor_based.neural_predictor:NeuralPredictor",
        description="graph convolutions trained on random trials, best predictions next",
        paper="Wen et al. 2020, arXiv 1912.00848",
    ),
    # Optuna's own samplers, for which our environment has all that they need.
    AlgorithmEntry(
        name="optuna-tpe",
        target="optiproxy.baselines.packages.optuna_samplers:optuna_tpe",
        description="tree-structured Parzen estimators, as Optuna has them by default",
        paper="Bergstra et al. 2011; Watanabe 2023, arXiv 2304.11127",
    ),
    AlgorithmEntry(
        name="optuna-tpe-univariate",
        target="optiproxy.baselines.packages.optuna_samplers:optuna_tpe_univariate",
        description="the same, each decision by itself",
        paper="Bergstra, Bardenet, Bengio, Kegl 2011",
    ),
    AlgorithmEntry(
        name="optuna-gp",
        target="optiproxy.baselines.packages.optuna_samplers:optuna_gp",
        description="Gaussian process of Optuna",
        paper="Akiba et al. 2019, arXiv 1907.10902",
    ),
    AlgorithmEntry(
        name="optuna-nsga2",
        target="optiproxy.baselines.packages.optuna_samplers:optuna_nsga2",
        description="genetic algorithm NSGA-II of Optuna",
        paper="Deb, Pratap, Agarwal, Meyarivan 2002",
    ),
    # Other packages, each in an environment of its own that `make bench-env` builds.
    AlgorithmEntry(
        name="catcma",
        target="optiproxy.baselines.packages.remote:catcma",
        description="CatCMA with margin, of the package cmaes",
        paper="Hamano et al. 2025, arXiv 2504.07884",
        environment="cmaes",
    ),
    AlgorithmEntry(
        name="smac-rf",
        target="optiproxy.baselines.packages.remote:smac_rf",
        description="random forest of SMAC3",
        paper="Lindauer et al. 2022, arXiv 2109.09831",
        environment="smac",
    ),
    AlgorithmEntry(
        name="syne-bore",
        target="optiproxy.baselines.packages.remote:syne_bore",
        description="BORE of Syne Tune",
        paper="Tiao et al. 2021, arXiv 2102.09009",
        environment="syne-tune",
    ),
    AlgorithmEntry(
        name="syne-cqr",
        target="optiproxy.baselines.packages.remote:syne_cqr",
        description="conformal quantile regression of Syne Tune",
        paper="Salinas et al. 2023, arXiv 2305.03623",
        environment="syne-tune",
    ),
    AlgorithmEntry(
        name="dehb",
        target="optiproxy.baselines.packages.remote:dehb",
        description="differential evolution of the package dehb",
        paper="Awad, Mallik, Hutter 2021, arXiv 2105.09821",
        environment="dehb",
    ),
    AlgorithmEntry(
        name="botorch-mixed",
        target="optiproxy.baselines.packages.remote:botorch_mixed",
        description="Gaussian process over mixed spaces of BoTorch",
        paper="Balandat et al. 2020, arXiv 1910.06403",
        environment="botorch",
    ),
)
"""All algorithms, ours first."""

SPACES = (
    Entry(name="darts", target="optiproxy.spaces.published.darts:DARTS"),
    Entry(name="nasbench-nlp", target="optiproxy.spaces.published.recurrent:RecurrentSpace"),
    Entry(name="nasbench101", target="optiproxy.spaces.published.nasbench101:NASBench101"),
    Entry(name="nasbench201", target="optiproxy.spaces.published.nasbench201:NASBench201"),
)
"""The published spaces. Those of the tasks need no name of their own."""

CLUSTERS = {
    scheme: Entry(name=scheme, target=target)
    for target, schemes in (
        ("optiproxy.execution.on_dask:DaskExecutor", ("dask", "tcp", "tls")),
        ("optiproxy.execution.on_ray:RayExecutor", ("ray",)),
    )
    for scheme in schemes
}
"""Executors on clusters, by what their addresses begin with; each is called with an address, or None for the usual cluster."""
