"""One seed and one thread, so that a training can be repeated bit by bit."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager

import torch


@contextmanager
def single_thread() -> Generator[None]:
    """Let torch compute on one thread: sums keep their order, and parallel trainings do not crowd each other."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


@contextmanager
def reproducible(seed: int) -> Generator[None]:
    """Run the body on one thread with torch's own stream (it draws initial weights) set to ``seed``; both are restored."""
    with single_thread(), torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        yield
