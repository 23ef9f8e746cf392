"""Search algorithms as Optuna samplers."""

from optiproxy.optimizer import AlgorithmFactory as AlgorithmFactory
from optiproxy.sampler.algorithm import AlgorithmSampler as AlgorithmSampler
from optiproxy.sampler.optiproxy import OptiProxySampler as OptiProxySampler
from optiproxy.sampler.reading import Reading as Reading
from optiproxy.storage.parameters import Parameters as Parameters
