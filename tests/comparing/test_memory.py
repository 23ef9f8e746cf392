from __future__ import annotations

import time

import numpy as np

from optiproxy.comparing.memory import PeakMemory


def test_the_peak_counts_memory_that_is_gone_again():
    with PeakMemory() as memory:
        block = np.ones(8_000_000)
        time.sleep(0.05)
        del block
    assert 60 < memory.mb < 100


def test_what_was_held_before_does_not_count():
    block = np.ones(8_000_000)
    with PeakMemory() as memory:
        time.sleep(0.02)
    assert memory.mb < 30
    assert len(block) == 8_000_000
