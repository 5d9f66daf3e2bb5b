"""Which tries of a message are lost: each by itself, or in bursts.

Bursts are a two-state channel (E. N. Gilbert, "Capacity of a Burst-Noise Channel", Bell System Technical
Journal 39, 1960; both states with losses of their own in E. O. Elliott, "Estimates of Error Rates for Codes
on Burst-Noise Channels", the same 42, 1963). Here everything gets through in its good state and nothing in
its bad one, and it may change after every try: mean loss and mean burst then say how often.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np


def shortest_burst(loss: float) -> float:
    """The mean run of losses, in tries, by chance alone; with a shorter one losses would repel each other."""
    return 1 / (1 - loss)


def lost_tries(draws: np.random.Generator, loss: float, burst: float | None) -> Iterator[bool]:
    """For one try after the other, whether it is lost: the channel is bad for the share `loss` of them.

    `burst` is the mean number of tries in a row that are lost; None: losses know nothing of each other.
    The state at the first try is drawn, as a message meets the channel at any time. A channel with bursts
    has 0 < loss < 1 and burst >= `shortest_burst(loss)`.
    """
    if burst is None:
        while True:
            yield draws.random() < loss
    ends = 1 / burst
    begins = ends * loss / (1 - loss)
    bad = draws.random() < loss
    while True:
        yield bad
        bad = draws.random() >= ends if bad else draws.random() < begins
