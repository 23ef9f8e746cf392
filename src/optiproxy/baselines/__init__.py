"""Search algorithms to compare with that no maintained package has."""

from optiproxy.baselines.random_search import RandomSearch as RandomSearch
from optiproxy.baselines.regularized_evolution import RegularizedEvolution as RegularizedEvolution
