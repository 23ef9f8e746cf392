"""The tasks and the published spaces that come with the package, by name. Listing them imports none of them."""

from __future__ import annotations

from optiproxy.registry.entries import SpaceEntry, TaskEntry

SPACES = (
    SpaceEntry(name="darts", target="optiproxy.spaces.published.darts:DARTS"),
    SpaceEntry(name="nasbench-nlp", target="optiproxy.spaces.published.recurrent:RecurrentSpace"),
    SpaceEntry(name="nasbench101", target="optiproxy.spaces.published.nasbench101:NASBench101"),
    SpaceEntry(name="nasbench201", target="optiproxy.spaces.published.nasbench201:NASBench201"),
)
"""The published spaces. Those of the tasks need no name of their own."""

_IMAGES = {"cifar10": "CIFAR-10", "cifar100": "CIFAR-100", "imagenet16": "ImageNet16-120"}

_DEVICES = {
    "edgegpu": ("NVIDIA Jetson TX2", ("2", "4", "6")),
    "raspi4": ("Raspberry Pi 4", ("2", "4", "6")),
    "pixel3": ("Pixel 3", ("2", "4", "6")),
    "edgetpu": ("Edge TPU", ("1",)),
    "eyeriss": ("the Eyeriss accelerator", ("1",)),
    "fpga": ("an FPGA", ("1",)),
}
"""Device -> what it is, and the latency limits in milliseconds."""

TASKS = (
    TaskEntry(
        name="digits",
        target="optiproxy.training.tasks.digits:DigitsTask",
        description="NAS-Bench-201 cells trained for real on scikit-learn's digits",
    ),
    TaskEntry(
        name="digits-latency",
        target="optiproxy.training.tasks.latency_limited:digits_latency",
        description="digits, within half the latency of the densest cell on this machine",
    ),
    TaskEntry(
        name="digits-table",
        target="optiproxy.tables.table:digits_table_task",
        description="digits, all 6,466 distinct cells trained beforehand: a table that comes with the package",
    ),
    TaskEntry(
        name="pydoc-chars",
        target="optiproxy.training.tasks.pydoc_chars:PydocCharsTask",
        description="recurrent cells of NAS-Bench-NLP trained for real as character models of Python's help topics",
    ),
    TaskEntry(
        name="pydoc-chars-latency",
        target="optiproxy.training.tasks.latency_limited:pydoc_chars_latency",
        description="pydoc-chars, within half the latency of an LSTM on this machine",
    ),
    *(
        TaskEntry(
            name=f"nasbench201-{dataset}",
            target="optiproxy.tables.nasbench201:nasbench201_task",
            description=f"NAS-Bench-201 table, {title}",
            arguments={"dataset": dataset},
            data=("nasbench201", "hwnasbench"),
        )
        for dataset, title in _IMAGES.items()
    ),
    *(
        TaskEntry(
            name=f"nasbench201-{dataset}-12epochs",
            target="optiproxy.tables.nasbench201:nasbench201_short_task",
            description=f"NAS-Bench-201 table, {title}: searched at 12 epochs, the best trained for 200",
            arguments={"dataset": dataset},
            data=("nasbench201", "hwnasbench"),
        )
        for dataset, title in _IMAGES.items()
    ),
    *(
        TaskEntry(
            name=f"hwnasbench-{device}-{milliseconds}ms",
            target="optiproxy.tables.nasbench201:hwnasbench_task",
            description=f"NAS-Bench-201 table, ImageNet16-120 within {milliseconds} ms on {title}",
            arguments={"device": device, "milliseconds": milliseconds},
            data=("nasbench201", "hwnasbench"),
        )
        for device, (title, limits) in _DEVICES.items()
        for milliseconds in limits
    ),
    TaskEntry(
        name="nasbench101-cifar10",
        target="optiproxy.tables.nasbench101:nasbench101_task",
        description="NAS-Bench-101 table, CIFAR-10: 20,001 of its cells",
        data=("nasbench101_20k",),
    ),
    TaskEntry(
        name="nasbench301-cifar10",
        target="optiproxy.tables.nasbench301:nasbench301_task",
        description="DARTS cells on CIFAR-10, by a published surrogate of NAS-Bench-301",
        data=("nasbench301_surrogate",),
    ),
    TaskEntry(
        name="nasbench-nlp-wikitext2",
        target="optiproxy.tables.nasbench_nlp:nasbench_nlp_task",
        description="NAS-Bench-NLP table, WikiText-2: the recurrent cells that were trained",
        data=("nasbench_nlp_wikitext2",),
    ),
    TaskEntry(
        name="nasbench-nlp-wikitext2-surrogate",
        target="optiproxy.tables.nasbench_nlp_surrogate:nasbench_nlp_surrogate_task",
        description="all recurrent cells of NAS-Bench-NLP on WikiText-2, by a surrogate of our own",
        data=("nasbench_nlp_wikitext2",),
    ),
)
"""All tasks."""
