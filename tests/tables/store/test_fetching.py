"""From the published files to a dataset in the data folder: the true files from a mirror, and a server that misbehaves."""

from __future__ import annotations

import hashlib
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import suppress
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest

from optiproxy.errors import DataError
from optiproxy.tables.store import fetching
from optiproxy.tables.store.datasets import DATASETS, load
from optiproxy.tables.store.declarations import Dataset, Import, RemoteFile
from optiproxy.tables.store.fetching import Internet, Mirror, fetch, import_file
from optiproxy.tables.store.files import arrays_digest, read_arrays

CONTENT = bytes(range(256)) * 1000


class _Local(RemoteFile):
    """A file of the server below."""

    @property
    def url(self):
        return f"http://{self.repository}/{self.path}"


def made(files):
    """The converter of the datasets below."""
    return {name: np.frombuffer(content, np.uint8) for name, content in files.items()}


def broken(files):
    raise DataError("The files contradict themselves.")


def imported(path):
    return {"a": np.frombuffer(path.read_bytes(), np.uint8)}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("OPTIPROXY_DATA", str(tmp_path / "data"))
    # So that the converters above are found by name.
    monkeypatch.setitem(sys.modules, "converters_of_this_test", sys.modules[__name__])
    return tmp_path / "data"


def _file(**changes):
    values = {
        "name": "a.bin",
        "repository": "127.0.0.1:1",
        "commit": "0" * 40,
        "path": "a.bin",
        "licence": "MIT",
        "size": len(CONTENT),
        "sha256": hashlib.sha256(CONTENT).hexdigest(),
    }
    return _Local(**{**values, **changes})


def _dataset(file, **changes):
    arrays = made({file.name: CONTENT})
    values = {
        "name": "example",
        "description": "",
        "files": (file,),
        "converter": "converters_of_this_test:made",
        "digest": arrays_digest(arrays),
    }
    return Dataset(**{**values, **changes})


class _Server(BaseHTTPRequestHandler):
    def do_GET(self):
        getattr(self, f"send_{self.path.strip('/').partition('.')[0]}")()

    def _start(self, length=None):
        self.send_response(200)
        if length is not None:
            self.send_header("Content-Length", str(length))
        self.end_headers()

    def send_whole(self):
        self._start(len(CONTENT))
        self.wfile.write(CONTENT)

    def send_other(self):
        self._start(len(CONTENT))
        self.wfile.write(CONTENT[::-1])

    def send_short(self):
        self._start(len(CONTENT))
        self.wfile.write(CONTENT[:1000])

    def send_endless(self):
        self._start()
        with suppress(OSError):  # when the other side has had enough
            while True:
                self.wfile.write(CONTENT)

    def send_silence(self):
        self._start(len(CONTENT))
        self.wfile.write(CONTENT[:1000])
        self.wfile.flush()
        time.sleep(2)

    def send_missing(self):
        self.send_error(404)

    def log_message(self, *arguments):
        """Quiet."""


@pytest.fixture
def server():
    running = ThreadingHTTPServer(("127.0.0.1", 0), _Server)
    thread = threading.Thread(target=running.serve_forever)
    thread.start()
    yield f"127.0.0.1:{running.server_port}"
    running.shutdown()
    thread.join()
    running.server_close()


@pytest.mark.slow
@pytest.mark.parametrize("name", ["nasbench201", "hwnasbench", "nasbench301_surrogate", "nasbench_nlp_wikitext2"])
def test_the_published_files_make_what_an_independent_conversion_made(name, folder, raw_folder, data_folder):
    """NAS-Bench-101 goes the same way in its own tests, because its hashes take long."""
    counted = []
    path = fetch(DATASETS[name], Mirror(raw_folder), counted.append)
    assert sum(counted) == sum(file.size for file in DATASETS[name].files)
    assert [path] == list(folder.iterdir())
    made, independent = load(name), read_arrays(data_folder / f"{name}.npz", remedy="")
    assert set(made) == set(independent)
    for key, array in made.items():
        np.testing.assert_array_equal(array, independent[key], strict=True)
    assert arrays_digest(made) == arrays_digest(independent) == DATASETS[name].digest


@pytest.mark.parametrize("dataset", DATASETS.values(), ids=DATASETS.keys())
def test_every_file_is_declared_in_full(dataset):
    for file in dataset.files:
        assert file.url.startswith("https://raw.githubusercontent.com/")
        assert file.commit in file.url
        assert len(file.commit) == 40
        assert len(file.sha256) == len(dataset.digest) == 64
        assert file.size > 0
        assert file.licence


def test_a_download_becomes_a_dataset(server, folder):
    file = _file(repository=server, path="whole.bin")
    counted = []
    path = fetch(_dataset(file), Internet(), counted.append)
    assert sum(counted) == len(CONTENT)
    np.testing.assert_array_equal(read_arrays(path, remedy="")["a.bin"], np.frombuffer(CONTENT, np.uint8))


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("other.bin", "Expected .* to have the sha256"),
        ("short.bin", r"the sha256 .*\(1,000 of 256,000 bytes\)|broke off"),
        ("endless.bin", "Expected 256,000 bytes from .*, got more"),
        ("silence.bin", "broke off|Cannot download"),
        ("missing.bin", "Cannot download .*: Not Found"),
    ],
)
def test_a_download_that_goes_wrong_leaves_nothing(path, message, server, folder, monkeypatch):
    monkeypatch.setattr(fetching, "TIMEOUT", 0.5)
    with pytest.raises(DataError, match=message) as refused:
        fetch(_dataset(_file(repository=server, path=path)), Internet(), lambda count: None)
    assert "--mirror" in str(refused.value)
    assert list(folder.iterdir()) == []


def test_a_server_that_is_not_there_is_told_plainly(folder):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{unused.getsockname()[1]}"
        with pytest.raises(DataError, match=r"Cannot download .* refused"):
            fetch(_dataset(_file(repository=address)), Internet(), lambda count: None)
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("content", [None, b"", CONTENT[:-1], CONTENT + b"x", CONTENT[::-1]])
def test_a_wrong_file_of_a_mirror_is_refused(content, folder, tmp_path):
    mirror = tmp_path / "mirror"
    mirror.mkdir()
    if content is not None:
        (mirror / "a.bin").write_bytes(content)
    with pytest.raises(DataError, match=r"a\.bin.* or leave --mirror out"):
        fetch(_dataset(_file()), Mirror(mirror), lambda count: None)
    assert list(folder.iterdir()) == []


def test_a_mirror_is_a_folder(tmp_path):
    with pytest.raises(DataError, match="Expected --mirror to name a folder"):
        Mirror(tmp_path / "nowhere")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"digest": "0" * 64}, "Expected example to have the digest 000000000000... after conversion"),
        ({"converter": "converters_of_this_test:broken"}, "The files contradict themselves"),
    ],
)
def test_what_converts_to_something_else_is_not_kept(changes, message, server, folder):
    file = _file(repository=server, path="whole.bin")
    with pytest.raises(DataError, match=message):
        fetch(_dataset(file, **changes), Internet(), lambda count: None)
    assert list(folder.iterdir()) == []


def test_an_interrupt_leaves_what_was_there(server, folder):
    file = _file(repository=server, path="whole.bin")
    path = fetch(_dataset(file), Internet(), lambda count: None)
    before = path.read_bytes()

    def interrupt(count):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fetch(_dataset(file), Internet(), interrupt)
    assert list(folder.iterdir()) == [path]
    assert path.read_bytes() == before


def test_a_process_that_is_killed_leaves_nothing(server, folder):
    """Killed in the middle of a download, so that nobody could clean up."""
    code = f"""
from optiproxy.tables.store.declarations import Dataset, RemoteFile
from optiproxy.tables.store.fetching import Internet, fetch
class Local(RemoteFile):
    url = "http://{server}/endless.bin"
file = Local(name="a", repository="", commit="", path="", licence="", size=10**15, sha256="")
dataset = Dataset(name="example", description="", files=(file,), converter="", digest="")
fetch(dataset, Internet(), lambda count: print("more", flush=True))
"""
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as process:
        assert process.stdout.readline() == b"more\n"
        process.send_signal(signal.SIGKILL)
    assert list(folder.iterdir()) == []


def test_a_folder_that_cannot_be_made_is_told_before_anything_is_downloaded(folder):
    folder.write_bytes(b"")
    with pytest.raises(DataError, match="Cannot write to the data folder"):
        fetch(_dataset(_file()), Internet(), lambda count: None)


def test_an_import_is_kept_under_its_own_name(folder, tmp_path):
    entry = Import(
        name="example",
        file="example_own",
        accepts="a file",
        converter="converters_of_this_test:imported",
        arrays=("a",),
    )
    (tmp_path / "given").write_bytes(b"abc")
    assert import_file(entry, tmp_path / "given") == folder / "example_own.npz"
    with pytest.raises(DataError, match=r"Expected a file; there is no .*nowhere"):
        import_file(entry, tmp_path / "nowhere")
    with pytest.raises(DataError, match="The files contradict"):
        import_file(replace(entry, converter="converters_of_this_test:broken"), tmp_path / "given")
    assert [path.name for path in folder.iterdir()] == ["example_own.npz"]
