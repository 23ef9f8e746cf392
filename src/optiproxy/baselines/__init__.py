"""Search algorithms to compare with: published methods without a maintained package, and the packages that there are.

Read `baseline` first, the equal terms that all of them share. `local_search`, `regularized_evolution` and
`reinforce` are one published method each; `predictor_based` holds those that learn a predictor, and `packages` those that
somebody else maintains.
"""

from optiproxy.baselines.baseline import RandomSearch as RandomSearch
from optiproxy.baselines.regularized_evolution import RegularizedEvolution as RegularizedEvolution
