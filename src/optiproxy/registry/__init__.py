"""Names: of algorithms, tasks and spaces, and what `MODULE:NAME` defines. Listing them imports none of them.

Read `names` first, then the tables of what comes with the package.
"""

from optiproxy.registry.names import AlgorithmEntry as AlgorithmEntry
from optiproxy.registry.names import TaskEntry as TaskEntry
from optiproxy.registry.names import algorithm as algorithm
from optiproxy.registry.names import algorithm_name as algorithm_name
from optiproxy.registry.names import algorithms as algorithms
from optiproxy.registry.names import known_task as known_task
from optiproxy.registry.names import missing_package as missing_package
from optiproxy.registry.names import task as task
from optiproxy.registry.names import tasks as tasks
