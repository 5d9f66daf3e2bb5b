"""One ordered fault: hooks into a run, all of which do nothing until a kind overrides them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from random import Random
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from hil.boards.protocol import Board, RunningBoard
    from hil.server.answer import Server
    from hil.session.folder import RunFolder
    from hil.wire.transport import Channel


class Injection:
    """A fault in waiting. A kind strikes while `armed`, and says so by `took_place`: only that counts.

    `server`, `board` and `folder` are asked once, before anything is opened; `channel` and `running` whenever
    the board is started. They return what the run shall use instead, or what they were given.
    """

    def __init__(self, settings: Mapping[str, Any], random: Random) -> None:
        self.settings = settings
        self.random = random
        """Sown anew for every sample, so that each strikes as it would alone."""
        self.armed = False
        """Whether the sample under way is to be hit."""
        self.tell: Callable[[str], None] = lambda detail: None
        """Set by the plan."""

    def took_place(self, detail: str) -> None:
        """Called the moment the fault really happens. A sample is counted once, however often it is hit."""
        self.tell(detail)

    def server(self, server: Server) -> Server:
        """The server half to use. Raises UsageError where the fault cannot be had of this one."""
        return server

    def board(self, board: Board) -> Board:
        """The board to use."""
        return board

    def running(self, board: RunningBoard) -> None:
        """A board was started, before anything was said to it."""

    def channel(self, channel: Channel) -> Channel:
        """The wire to a board that was just started."""
        return channel

    def input(self, data: NDArray[np.int8]) -> NDArray[np.int8]:
        """What the sensor gives instead of `data` (height, width, channels), which is the truth."""
        return data

    def folder(self, folder: RunFolder) -> None:
        """The run folder, open."""

    def begin(self, index: int) -> None:
        """Before every sample of the run, armed or not."""

    def end(self, index: int) -> None:
        """After every sample, its record written; also after one that ended the run."""

    def close(self) -> None:
        """At the end of the run, whatever ended it: what was stopped goes on, what was held is let go."""
