from __future__ import annotations

import os
import shlex
import sys
import time

import pytest
import torch
from torch import nn

from optiproxy.errors import DeviceError, UsageError
from optiproxy.training.costs import DeviceRunner
from optiproxy.training.export.file_format import Loaded

EXAMPLE = torch.zeros(1, 3)


class Plain:
    """A stand-in for real formats, which take seconds: the parameter count as text."""

    name = filename = "plain"
    use = ""

    def write(self, network, inputs, path):
        assert not network.training
        path.write_text(str(sum(p.numel() for p in network.parameters())))

    def read(self, path):
        return Loaded(None)


def python(program: str) -> str:
    return f"{shlex.quote(sys.executable)} -c {shlex.quote(program)} {{model}}"


def runner(program: str, **arguments) -> DeviceRunner:
    return DeviceRunner(python(program), EXAMPLE, file_format=Plain(), **arguments)


def test_the_command_is_run_on_the_exported_file():
    network = nn.Linear(3, 4)
    assert runner("import sys; print(open(sys.argv[1]).read())")(network) == 16
    assert network.training


def test_what_it_printed_is_parsed_as_asked():
    measure = runner("print('warming up\\nmedian: 2.5 ms')", parse=lambda text: float(text.split()[-2]))
    assert measure(nn.Linear(3, 4)) == 2.5


def test_no_shell_reads_the_command(tmp_path):
    measure = DeviceRunner(f"echo 7 ; touch {tmp_path}/broken {{model}}", EXAMPLE, file_format=Plain())
    with pytest.raises(DeviceError, match="touch"):
        measure(nn.Linear(3, 4))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("program", "told"),
    [
        ("print('no idea')", "Expected a measurement .*got 'no idea'"),
        ("pass", "got nothing"),
        ("print('nan')", "Expected a finite measurement .*got nan"),
        ("print('inf')", "Expected a finite measurement .*got inf"),
        ("import sys; sys.stdout.buffer.write(bytes(range(256)) * 100)", "Expected a measurement"),
        ("import sys; sys.exit('board is off')", "failed with exit code 1: 'board is off'"),
        ("import os; os.abort()", "failed with exit code -"),
    ],
)
def test_rubbish_and_failures_are_told_plainly(program, told):
    with pytest.raises(DeviceError, match=told):
        runner(program)(nn.Linear(3, 4))


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="process groups are POSIX")
def test_a_command_that_hangs_is_stopped_with_all_that_it_started(tmp_path):
    child = f"import time; time.sleep(3); open({str(tmp_path / 'late')!r}, 'w')"
    parent = f"import subprocess, sys, time; subprocess.Popen([sys.executable, '-c', {child!r}]); time.sleep(60)"
    start = time.monotonic()
    with pytest.raises(DeviceError, match=r"within 1\.5 seconds and was stopped"):
        runner(parent, timeout=1.5)(nn.Linear(3, 4))
    assert time.monotonic() - start < 30
    time.sleep(3)
    assert list(tmp_path.iterdir()) == []


def test_a_command_that_is_not_there_is_told_plainly():
    with pytest.raises(DeviceError, match="Cannot run 'no-such-command'"):
        DeviceRunner("no-such-command {model}", EXAMPLE, file_format=Plain())(nn.Linear(3, 4))


def test_a_command_has_to_say_where_the_file_belongs():
    with pytest.raises(UsageError, match=r"\{model\}"):
        DeviceRunner("measure", EXAMPLE)
    with pytest.raises(UsageError, match="more than 0 seconds, got 0"):
        DeviceRunner("measure {model}", EXAMPLE, timeout=0)
