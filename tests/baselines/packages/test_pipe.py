from __future__ import annotations

import gc
import itertools
import sys
import threading
from pathlib import Path

import psutil
import pytest

from optiproxy.baselines.packages.pipe import Server
from optiproxy.errors import PackageError

pytestmark = pytest.mark.slow

QUESTION = {"counts": [3, 4], "step": 1}


def _ask(server, question=QUESTION, n=3):
    return list(itertools.islice(server.suggestions(question), n))


def _children():
    return {child.pid for child in psutil.Process().children()}


def test_suggestions_come_one_by_one_whatever_the_package_prints(serve):
    found = _ask(serve(), n=100)
    assert len(found) == 30
    assert all(0 <= a < 3 and 0 <= b < 4 for a, b in found)
    assert len(set(found)) > 1


def test_one_process_answers_many_questions_and_keeps_nothing(serve):
    server, before = serve(), _children()
    first = _ask(server)
    started = _children() - before
    assert len(started) == 1
    assert _ask(server, {"counts": [2], "step": 5}, n=2) != first
    assert _ask(server) == first
    assert _children() - before == started


def test_sets_have_one_order_in_all_processes(serve, monkeypatch):
    monkeypatch.setenv("PYTHONHASHSEED", "7")
    source = "def suggest(question):\n    yield from ([hash(name) % 1000] for name in 'abc')"
    assert _ask(serve(source)) == _ask(serve(source))


def test_only_as_much_is_asked_as_is_wanted(serve, tmp_path):
    log = tmp_path / "log"
    server = serve(f"""
def suggest(question):
    for number in range(9):
        with open({str(log)!r}, "a") as file:
            file.write("x")
        yield [number]
""")
    assert _ask(server, n=2) == [(0,), (1,)]
    assert log.read_text() == "xx"


def test_several_threads_take_turns(serve):
    server, found = serve(), {}

    def ask(step):
        found[step] = _ask(server, {"counts": [50, 50, 50], "step": step}, n=30)

    threads = [threading.Thread(target=ask, args=(step,)) for step in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == {step: _ask(server, {"counts": [50, 50, 50], "step": step}, n=30) for step in range(4)}


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("import nowhere_to_be_found", r"ended with exit code 1 \(ModuleNotFoundError"),
        ("import os\ndef suggest(question):\n    os._exit(7)", "ended with exit code 7"),
        ("import os\ndef suggest(question):\n    os.kill(os.getpid(), 9)", "ended with exit code -9"),
        ("import time\ndef suggest(question):\n    time.sleep(60)", "gave no answer within 1 seconds"),
        ("import time\ntime.sleep(60)", "gave no answer within 1 seconds"),
        ("def suggest(question):\n    raise RuntimeError('out of ideas')", "failed: RuntimeError: out of ideas"),
        ("def suggest(question):\n    yield 7", "failed: TypeError"),
        ("def suggest(question):\n    yield ['a']", "failed: ValueError"),
        ("suggest = None", "failed: TypeError"),
        ("", "ended with exit code 1"),
    ],
    ids=[
        "no-package",
        "exit",
        "killed",
        "hangs",
        "hangs-at-the-start",
        "raises",
        "no-list",
        "no-number",
        "no-function",
        "empty",
    ],
)
def test_whatever_goes_wrong_is_told_and_the_next_question_finds_a_process(serve, script, source, message):
    slow = "sleep" in source
    server = serve(source, timeout=1.0 if slow else 60.0)
    with pytest.raises(PackageError, match=message):
        _ask(server)
    script("def suggest(question):\n    yield [1, 2]")
    if "failed" in message:
        server.close()  # a package that raises is still there, with the file as it was
    server._timeout = 60.0
    assert _ask(server) == [(1, 2)]


@pytest.mark.parametrize(
    "answer",
    [
        "rubbish",
        "",
        "[1, 2]",
        "{}",
        '{"chosen": 1}',
        '{"chosen": [NaN]}',
        '{"chosen": [true]}',
        '{"chosen": ["0"]}',
        "[" * 100_000,
        "\\x00\\xff",
    ],
)
def test_rubbish_on_the_pipe_is_no_answer(serve, answer):
    """A package that found the true output and writes there itself."""
    server = serve(f"""
import os

def suggest(question):
    for descriptor in range(3, 30):
        try:
            os.write(descriptor, {answer!r}.encode("latin-1") + b"\\n")
        except OSError:
            pass
    yield [1, 2]
""")
    before = _children()
    with pytest.raises(PackageError, match="answered"):
        _ask(server)
    assert _children() <= before  # it is not spoken to again


def test_a_missing_interpreter_is_told(serve):
    with pytest.raises(PackageError, match=r"cannot be started: No such file.*make bench-env"):
        _ask(serve(python="/nowhere/python"))


def test_a_question_that_is_never_read_is_given_up(serve):
    """Longer than a pipe holds, put to a process that reads nothing."""
    server = serve("import time\ntime.sleep(60)", timeout=1.0)
    with pytest.raises(PackageError, match="gave no answer"):
        _ask(server, {"counts": [1] * 200_000})


def test_the_process_ends_with_its_server_and_leaves_no_folder(serve, tmp_path):
    log = tmp_path / "log"
    server, before = (
        serve(f"import os\nopen({str(log)!r}, 'w').write(os.getcwd())\ndef suggest(q):\n    yield [0]"),
        _children(),
    )
    _ask(server)
    folder = Path(log.read_text())
    assert folder.is_dir()
    server.close()
    server.close()
    assert _children() <= before
    assert not folder.exists()


def test_the_process_ends_when_the_server_is_forgotten(script):

    before = _children()
    server = Server(Path(sys.executable), script("def suggest(q):\n    yield [0]"))
    assert _ask(server) == [(0,)]
    assert len(_children() - before) == 1
    del server
    gc.collect()
    assert _children() <= before
