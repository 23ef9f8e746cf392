"""Names of algorithms, tasks and spaces, and what ``MODULE:NAME`` defines. Listing them imports none of them.

Read `names` first (what can be looked up), then `targets` (how a user's own module is imported), `own` (a task out of a user's
space and functions) and `own_code` (these functions); `entries` says what is known of a name, and `builtin` and
`builtin_tasks` list ours.
"""

from optiproxy.registry.entries import AlgorithmEntry as AlgorithmEntry
from optiproxy.registry.entries import Entry as Entry
from optiproxy.registry.entries import TaskEntry as TaskEntry
from optiproxy.registry.names import algorithm as algorithm
from optiproxy.registry.names import algorithm_name as algorithm_name
from optiproxy.registry.names import algorithms as algorithms
from optiproxy.registry.names import executor as executor
from optiproxy.registry.names import known_task as known_task
from optiproxy.registry.names import missing_package as missing_package
from optiproxy.registry.names import space as space
from optiproxy.registry.names import space_or_task as space_or_task
from optiproxy.registry.names import spaces as spaces
from optiproxy.registry.names import task as task
from optiproxy.registry.names import task_name as task_name
from optiproxy.registry.names import tasks as tasks
from optiproxy.registry.own import OwnTask as OwnTask
from optiproxy.registry.own_code import example_input as example_input
from optiproxy.registry.own_code import training_function as training_function
