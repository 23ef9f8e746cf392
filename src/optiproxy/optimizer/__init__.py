"""Search algorithms' contract and the OptiProxy optimizer."""

from optiproxy.optimizer.algorithm import Algorithm as Algorithm
from optiproxy.optimizer.algorithm import AlgorithmFactory as AlgorithmFactory
from optiproxy.optimizer.algorithm import Proposal as Proposal
from optiproxy.optimizer.algorithm import Trial as Trial
