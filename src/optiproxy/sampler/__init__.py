"""Search algorithms as Optuna samplers."""

from optiproxy.sampler.algorithm import AlgorithmFactory as AlgorithmFactory
from optiproxy.sampler.algorithm import AlgorithmSampler as AlgorithmSampler
from optiproxy.sampler.optiproxy import OptiProxySampler as OptiProxySampler
from optiproxy.sampler.parameters import Parameters as Parameters
from optiproxy.sampler.reading import Reading as Reading
