from __future__ import annotations

import subprocess
import sys
import time

import numpy as np
import pytest

from optiproxy.comparison.worker import CHILDREN_EVERY, INTERVAL, PeakMemory

pytestmark = pytest.mark.slow


def test_the_peak_counts_memory_that_is_gone_again():
    with PeakMemory() as memory:
        block = np.ones(8_000_000)
        time.sleep(0.5)
        del block
    assert 60 < memory.mb < 100


def test_what_was_held_before_does_not_count():
    block = np.ones(8_000_000)
    with PeakMemory() as memory:
        time.sleep(0.02)
    assert memory.mb < 30
    assert len(block) == 8_000_000


def test_a_process_that_was_started_counts_and_may_end_at_any_time():
    hold = "import sys; block = bytearray(60_000_000); print('held', flush=True); sys.stdin.read()"
    with PeakMemory() as memory:
        with subprocess.Popen(
            [sys.executable, "-c", hold], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        ) as child:
            assert child.stdout.readline() == "held\n"
            time.sleep(INTERVAL * CHILDREN_EVERY * 6)
        time.sleep(INTERVAL * 3)
    assert 60 < memory.mb < 150
