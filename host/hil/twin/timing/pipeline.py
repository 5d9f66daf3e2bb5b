"""The dual-issue in-order pipeline: in which cycle each instruction of a sequence issues.

A result is described by the earliest cycle in which a consumer may issue, one number per port.
With E1 the early and E2 the late ALU stage, an instruction issued in cycle t that computes in E1 has
its result for late consumers issued in t and early ones in t + 1; in E2, for late ones in t + 1 and
early ones in t + 2 (J). Caches, banks and predictions are not in here: they depend on the run.

A cycle has two slots. One that stays empty is charged to what held the next instruction back
(`Cause`): the producer of the operand that arrives last, or the unit both want.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum

from hil.twin.timing.operation import FLAGS, FP_FIRST, PC, REGISTERS, Kind, Operation, Port

Latencies = tuple[int, int, int, int]
"""Cycles from issue to the issue of a consumer, by port: early, late, multiply, accumulate."""

COMPUTED_EARLY: Latencies = (1, 0, 0, 0)
ADDRESS_WRITTEN_BACK: Latencies = (1, 0, 0, 0)
LATENCIES: dict[Kind, Latencies] = {
    Kind.ALU: (2, 1, 1, 0),
    Kind.EARLY_ALU: (2, 1, 1, 0),  # when it could not go early
    Kind.SHIFT: (2, 1, 1, 0),
    Kind.BIT_EARLY: (2, 0, 0, 0),
    Kind.BIT: (2, 1, 1, 0),
    Kind.SATURATE: (3, 2, 2, 1),  # L
    Kind.MAC: (3, 2, 2, 1),
    Kind.LOAD: (2, 1, 2, 0),
    Kind.MULTIPLE: (2, 1, 2, 0),
    Kind.DIVIDE: (2, 1, 1, 0),
    Kind.FP: (1, 3, 3, 3),
    Kind.FP_MAC: (3, 5, 5, 3),
    Kind.FP_DIVIDE: (0, 0, 0, 0),  # it holds the pipeline until done
    Kind.FP_MOVE: (1, 3, 3, 3),
    Kind.FP_TO_CORE: (2, 1, 1, 0),
    Kind.FP_FROM_CORE: (3, 3, 3, 3),
    Kind.SYSTEM: (1, 1, 1, 1),
}
SUBWORD_LOAD: Latencies = (3, 2, 2, 1)
FP_LOAD: Latencies = (0, 1, 1, 3)
NONE: Latencies = (0, 0, 0, 0)


class Cause(IntEnum):
    """What empty slots are charged to."""

    ISSUE = 0
    """Half-used cycles under the pairing rules, or for an ALU result: part of issuing, no stall."""
    MAC = 1
    """The result of a multiply-accumulate, or its port."""
    LOAD = 2
    """A loaded word."""
    BRANCH = 3
    """Behind a taken branch; a second branch; a branch table's second cycle."""
    BANK = 4
    """Two loads known to meet in a bank."""
    OTHER = 5
    """FP, divisions, system instructions; whole cycles in which an ALU result is on its way."""


PRODUCERS: dict[Kind, Cause] = {
    Kind.MAC: Cause.MAC,
    Kind.LOAD: Cause.LOAD,
    Kind.MULTIPLE: Cause.LOAD,
    **dict.fromkeys((Kind.FP, Kind.FP_MAC, Kind.FP_DIVIDE, Kind.FP_MOVE, Kind.FP_TO_CORE), Cause.OTHER),
    **dict.fromkeys((Kind.FP_FROM_CORE, Kind.DIVIDE, Kind.SYSTEM), Cause.OTHER),
}
"""Whose results are waited for as what; those of other kinds come from an ALU."""
OCCUPIERS: dict[Kind, Cause] = {
    **dict.fromkeys((Kind.DIVIDE, Kind.FP_DIVIDE, Kind.SYSTEM), Cause.OTHER),
    Kind.BRANCH: Cause.BRANCH,
}
"""What the second and later cycles of long instructions are; those of LDM and STM move words."""
SLOTS = 2

_BIT = (Kind.BIT, Kind.BIT_EARLY, Kind.SATURATE)
_EARLY = (Kind.EARLY_ALU, Kind.SHIFT)
_FP_PIPE = (Kind.FP, Kind.FP_MAC, Kind.FP_DIVIDE)
_FP_MOVES = (Kind.FP_MOVE, Kind.FP_TO_CORE, Kind.FP_FROM_CORE)
_EXCLUSIVE = (
    (_BIT, _BIT),
    ((Kind.MAC,), (Kind.MAC, Kind.STORE)),
    ((Kind.STORE,), (Kind.STORE, Kind.MAC)),
    (_FP_PIPE, _FP_PIPE),
    (_FP_MOVES, _FP_MOVES),
    ((Kind.BRANCH,), (Kind.BRANCH,)),
)
"""Kinds of the older instruction, and of the younger ones that cannot go with it (J)."""
_FORBIDDEN = frozenset(
    (older, younger) for olders, youngers in _EXCLUSIVE for older in olders for younger in youngers
)


def can_pair(older: Operation, younger: Operation) -> bool:
    """Whether `younger` may issue in the cycle of `older`, as far as units and ports go (J)."""
    if older.alone or younger.alone or (older.kind, younger.kind) in _FORBIDDEN:
        return False
    if younger.kind in _BIT or (older.shifter and younger.shifter):
        return False
    if Kind.FP_MAC in (older.kind, younger.kind):
        other = younger if older.kind is Kind.FP_MAC else older
        if other.kind in _FP_MOVES or (other.kind in (Kind.LOAD, Kind.STORE) and _touches_fp(other)):
            return False
    return not _same_bank(older, younger)


def hazard(older: Operation, younger: Operation) -> Cause:
    """Why two instructions whose operands are there do not go together."""
    pair = older.kind, younger.kind
    if pair in _FORBIDDEN and Kind.MAC in pair:
        return Cause.MAC
    if pair == (Kind.BRANCH, Kind.BRANCH):
        return Cause.BRANCH
    if Kind.FP_MAC in pair or (pair in _FORBIDDEN and pair[0] in (*_FP_PIPE, *_FP_MOVES)):
        return Cause.OTHER
    return Cause.BANK if not older.alone and not younger.alone and _same_bank(older, younger) else Cause.ISSUE


def banks_unknown(older: Operation, younger: Operation) -> bool:
    """Two loads issued together whose banks only their addresses tell."""
    if Kind.LOAD is not older.kind or Kind.LOAD is not younger.kind:
        return False
    return older.bank is None or younger.bank is None or older.bank[0] != younger.bank[0]


def _same_bank(older: Operation, younger: Operation) -> bool:
    """Two word loads from one base whose offsets have the same word parity."""
    if older.bank is None or younger.bank is None or older.bank[0] != younger.bank[0]:
        return False
    return (older.bank[1] ^ younger.bank[1]) & 4 == 0


def _touches_fp(operation: Operation) -> bool:
    registers = (*operation.results, *(register for _, register in operation.needs))
    return any(register >= FP_FIRST for register in registers)


class Pipeline:
    """Issues operations in order and keeps the count. Begins empty."""

    def __init__(self) -> None:
        self._ready = [[0] * REGISTERS for _ in Port]
        self._cycle = -1
        self._open: Operation | None = None
        self._producers = [Cause.ISSUE] * REGISTERS
        self.lost = [0] * len(Cause)
        """Empty slots by cause, so far; the slot that is still open is not among them."""
        self._flags_cycle = -100
        self.flags_ahead = 100
        """Cycles between the last instruction that set flags and the last one issued."""

    @property
    def cycles(self) -> int:
        """Cycles in which something issued or waited."""
        return self._cycle + 1

    def close(self) -> None:
        """A taken branch: nothing else issues in its cycle."""
        if self._open is not None:
            self.lost[Cause.BRANCH] += 1
        self._open = None

    def run(self, operations: Sequence[Operation]) -> list[tuple[int, int]]:
        """Issues all; returns pairs of indices of loads issued together with unknown banks."""
        meetings: list[tuple[int, int]] = []
        for index, operation in enumerate(operations):
            partner = self.issue(operation)
            if partner is not None and index and banks_unknown(partner, operation):
                meetings.append((index - 1, index))
        return meetings

    def issue(self, operation: Operation) -> Operation | None:
        """Issues one operation; returns the older one that it went together with."""
        ready = self._ready
        need, waits_for = 0, FLAGS
        for port, register in operation.needs:
            if ready[port][register] > need:
                need, waits_for = ready[port][register], register
        older = self._open
        if older is not None and need <= self._cycle and can_pair(older, operation):
            self._open = None
        else:
            self._lose(older, operation, need, self._producers[waits_for])
            older = None
            self._cycle = max(self._cycle + 1, need)
            self._open = None if operation.alone else operation
        self.flags_ahead = self._cycle - self._flags_cycle
        self._publish(operation, is_older=older is None)
        self._cycle += operation.cycles - 1
        self.lost[OCCUPIERS.get(operation.kind, Cause.ISSUE)] += SLOTS * (operation.cycles - 1)
        return older

    def _lose(self, older: Operation | None, operation: Operation, need: int, producer: Cause) -> None:
        """Charges the slots that stay empty before `operation`, which issues in a new cycle."""
        if older is not None:
            self.lost[producer if need > self._cycle else hazard(older, operation)] += 1
        empty = max(0, need - self._cycle - 1)
        self.lost[Cause.OTHER if producer is Cause.ISSUE else producer] += SLOTS * empty

    def _publish(self, operation: Operation, is_older: bool) -> None:
        """Notes when consumers may have the results."""
        done = self._cycle + operation.cycles - 1
        latencies = self._latencies(operation, is_older)
        for register in operation.results:
            if register == PC:
                continue  # fetching from there is the branch predictor's business
            if register == FLAGS:
                self._flags_cycle = self._cycle
            self._producers[register] = PRODUCERS.get(operation.kind, Cause.ISSUE)
            self._set(register, done, self._of_register(operation, register, latencies))
        if operation.base_result is not None:
            self._producers[operation.base_result] = Cause.ISSUE
            self._set(operation.base_result, self._cycle, ADDRESS_WRITTEN_BACK)

    def _set(self, register: int, cycle: int, latencies: Latencies) -> None:
        for port in Port:
            self._ready[port][register] = cycle + latencies[port]

    def _latencies(self, operation: Operation, is_older: bool) -> Latencies:
        if operation.kind in _EARLY and (is_older or operation.kind is Kind.SHIFT):
            early = self._ready[Port.EARLY]
            if all(early[register] <= self._cycle for _, register in operation.needs):
                return COMPUTED_EARLY
        if operation.subword:
            return SUBWORD_LOAD
        return LATENCIES.get(operation.kind, NONE)

    @staticmethod
    def _of_register(operation: Operation, register: int, latencies: Latencies) -> Latencies:
        if register == FLAGS:
            return LATENCIES[Kind.ALU]  # flags are set late even by early instructions (J)
        if register >= FP_FIRST and operation.kind in (Kind.LOAD, Kind.MULTIPLE):
            return FP_LOAD
        return latencies
