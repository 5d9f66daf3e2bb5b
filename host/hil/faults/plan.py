"""All faults that a run carries: armed sample by sample, counted when they took place, judged at the end."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from random import Random
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hil.boards.protocol import Board
from hil.errors import UsageError
from hil.faults.board import InjectedBoard
from hil.faults.injection import Injection
from hil.faults.outcome import faults_entry
from hil.faults.parse import Ordered, parse_fault
from hil.server.answer import Server
from hil.session.bus import Issue
from hil.session.events import FaultInjected, SampleRecord
from hil.session.folder import RunFolder


class Faults:
    """What a run carries; nothing at all where nothing was ordered."""

    def __init__(
        self, orders: Sequence[str], n: int, seed: int, board: str, emit: Callable[[FaultInjected], None]
    ) -> None:
        """`orders` as `parse_fault` takes them, for a run of `n` samples on `board`. Raises UsageError."""
        self._seed = seed
        self._emit = emit
        self._index: int | None = None
        self._injected: dict[str, set[int]] = {}
        self._planned = [
            _Planned(ordered, n, f"{seed} {place} {ordered.kind.name}")
            for place, ordered in enumerate(map(parse_fault, orders))
        ]
        for planned in self._planned:
            boards = planned.ordered.kind.boards
            name = planned.ordered.kind.name
            if boards is not None and board not in boards:
                raise UsageError(
                    f"{name} cannot be injected on {board}", f"valid boards: {', '.join(sorted(boards))}"
                )
            self._injected[name] = set()
            planned.injection.tell = partial(self._tell, name)

    @property
    def _injections(self) -> Iterator[Injection]:
        return (planned.injection for planned in self._planned)

    def server(self, server: Server | None) -> Server | None:
        """The server half that the run shall ask. Raises UsageError."""
        for injection in self._injections:
            server = injection.server(server) if server is not None else None
        return server

    def board(self, board: Board) -> Board:
        """The board that the run shall start."""
        for injection in self._injections:
            board = injection.board(board)
        return InjectedBoard(board, tuple(self._injections)) if self._planned else board

    def folder(self, folder: RunFolder) -> None:
        """Shows the open run folder to all."""
        for injection in self._injections:
            injection.folder(folder)

    def input(self, data: NDArray[np.int8]) -> NDArray[np.int8]:
        """What the device is given instead of `data`."""
        for injection in self._injections:
            data = injection.input(data)
        return data

    @contextlib.contextmanager
    def sample(self, index: int) -> Iterator[None]:
        """Around each sample: arms what is due."""
        self._index = index
        for planned in self._planned:
            planned.arm(index)
        try:
            yield
        finally:
            for injection in self._injections:
                injection.end(index)
                injection.armed = False
            self._index = None

    def summary(self, records: Sequence[SampleRecord], deadline_ms: float) -> dict[str, Any] | None:
        """The entry `faults` of the summary; None where nothing was ordered."""
        if not self._planned:
            return None
        hit = {(name, index) for name, places in self._injected.items() for index in places}
        return faults_entry(hit, records, deadline_ms, self._injected)

    def missed(self) -> list[Issue]:
        """A remark on each kind that was ordered and never took place."""
        return [
            Issue(
                "not-injected",
                f"{name} never took place",
                "name other samples; not every scheme has its place",
            )
            for name, hit in self._injected.items()
            if not hit
        ]

    def close(self) -> None:
        """Ends all of them."""
        for injection in self._injections:
            injection.close()

    def _tell(self, kind: str, detail: str) -> None:
        """A fault outside of a sample hit none, and one sample is hit once."""
        if self._index is not None and self._index not in self._injected[kind]:
            self._injected[kind].add(self._index)
            self._emit(FaultInjected(kind, self._index, detail))


class _Planned:
    """An order, its injection, and the samples that it hits."""

    def __init__(self, ordered: Ordered, n: int, sown: str) -> None:
        self.ordered = ordered
        self.samples = ordered.when.samples(n, Random(sown))
        self._sown = sown
        self._random = Random(sown)
        self.injection = ordered.kind.make(ordered.settings, self._random)

    def arm(self, index: int) -> None:
        self._random.seed(f"{self._sown} {index}")
        self.injection.armed = index in self.samples
        self.injection.begin(index)


def check(orders: Sequence[str], n: int) -> None:
    """Raises UsageError for an order that no run of `n` samples can carry."""
    for text in orders:
        parse_fault(text).when.samples(n, Random(0))
