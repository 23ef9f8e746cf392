"""Search algorithms as Optuna samplers: any of them, and OptiProxy by its own name.

Read `algorithm` first, then `reading`, which says how it sees a study that is not a search of ours, and `pruned` and
`inferring`, which say what it makes of trials that ended early, and of parameters that nobody has listed.
"""

from optiproxy.optimizer import AlgorithmFactory as AlgorithmFactory
from optiproxy.sampler.algorithm import AlgorithmSampler as AlgorithmSampler
from optiproxy.sampler.optiproxy import OptiProxySampler as OptiProxySampler
from optiproxy.storage.parameters import Parameters as Parameters
