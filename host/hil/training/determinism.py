"""The same seed gives the same bits on the same machine."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch


@contextmanager
def seeded(seed: int, threads: int = 0) -> Iterator[None]:
    """Inside, torch draws from `seed`, runs on `threads` threads and refuses what is not repeatable.

    The caller's own random state, threads and mode come back afterwards.
    """
    before_threads, before_mode = torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        torch.use_deterministic_algorithms(True)
        if threads:
            torch.set_num_threads(threads)
        try:
            yield
        finally:
            torch.set_num_threads(before_threads)
            torch.use_deterministic_algorithms(before_mode)
