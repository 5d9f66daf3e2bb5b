"""Costs of basic blocks in the context of the block before, computed once."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from capstone import arm

from hil.twin.timing.addresses import MEETS_PREVIOUS, Access, AddressFinder
from hil.twin.timing.decode import Decoder, disassembler
from hil.twin.timing.operation import LR, Flow, Kind, Operation
from hil.twin.timing.parameters import TICKS, Parameters
from hil.twin.timing.pipeline import SLOTS, Cause, Pipeline


@dataclass(frozen=True)
class Block:
    """A decoded block. `target` is where its direct branch goes."""

    address: int
    size: int
    operations: tuple[Operation, ...]
    accesses: tuple[Access, ...]
    unresolved: int

    @property
    def flow(self) -> Flow:
        return self.operations[-1].flow if self.operations else Flow.NEXT

    @property
    def calls(self) -> bool:
        """Ends with BL or BLX."""
        last = self.operations[-1] if self.operations else None
        return last is not None and last.kind is Kind.BRANCH and LR in last.results

    @property
    def jumps(self) -> bool:
        """Ends with another jump to an address in a register or from memory: a return, for example."""
        return self.flow is Flow.INDIRECT and not self.calls

    @property
    def target(self) -> int | None:
        return self.operations[-1].target if self.operations else None


@dataclass(frozen=True)
class Stalls:
    """The part of an edge's issue ticks that is not issuing. A slot is half a cycle."""

    mac_slots: int = 0
    load_slots: int = 0
    other_slots: int = 0
    branch_ticks: int = 0
    bank_ticks: int = 0


@dataclass(frozen=True)
class Edge:
    """A block after the one it was reached from."""

    ticks: int
    """Issue cycles, in 1/100."""
    meetings_ticks: int
    """What bank conflicts are expected to add where addresses are not looked at."""
    accesses: tuple[Access, ...]
    kind: Flow
    """How the block before was left: NEXT, DIRECT, CONDITIONAL or INDIRECT."""
    taken: bool
    backward: bool
    penalty_ticks: int
    """Cost of a wrong prediction."""
    stalls: Stalls = Stalls()
    """What of `ticks` is not issuing."""


@cache
def block_costs(parameters: Parameters) -> BlockCosts:
    """One table for all twins of a process: the same code costs the same on each of them."""
    return BlockCosts(parameters)


class BlockCosts:
    """Decodes blocks and prices edges; remembers blocks by address and content."""

    def __init__(self, parameters: Parameters) -> None:
        self._parameters = parameters
        self._decoder = Decoder(parameters)
        self._disassembler = disassembler()
        self._blocks: dict[tuple[int, bytes], Block] = {}
        self._edges: dict[tuple[int, int], Edge] = {}

    def block(self, address: int, code: bytes) -> Block:
        """The block of `code` at `address`."""
        key = address, code
        if key not in self._blocks:
            self._blocks[key] = self._decode(address, code)
        return self._blocks[key]

    def _decode(self, address: int, code: bytes) -> Block:
        finder = AddressFinder()
        operations = []
        predicated = 0
        for instruction in self._disassembler.disasm(code, address):
            inside = predicated > 0
            predicated = _it_length(instruction) or max(0, predicated - 1)
            operation = self._decoder.operation(instruction, inside)
            access = finder.step(instruction, inside)
            if access is not None:
                operation = replace(operation, accesses=(access,))
            operations.append(operation)
        return Block(address, len(code), tuple(operations), tuple(finder.accesses), finder.unresolved)

    def edge(self, previous: Block | None, block: Block) -> Edge:
        """What `block` costs when it follows `previous`; None: a start. Both are from `block()`."""
        key = id(previous), id(block)  # blocks live as long as this table
        if key not in self._edges:
            self._edges[key] = self._price(previous, block)
        return self._edges[key]

    def _price(self, previous: Block | None, block: Block) -> Edge:
        pipeline = Pipeline()
        kind, taken, penalty = Flow.NEXT, False, 0
        lost = tuple(pipeline.lost)
        if previous is not None and previous.operations and self._follows(previous, block):
            pipeline.run(previous.operations)
            ends_at = previous.address + previous.size
            kind = previous.flow
            taken = kind is not Flow.NEXT and not (kind is Flow.CONDITIONAL and ends_at == block.address)
            known = pipeline.flags_ahead >= self._parameters.flags_ahead and kind is Flow.CONDITIONAL
            penalty = self._parameters.mispredict_known if known else self._parameters.mispredict
            lost = tuple(pipeline.lost)
            if taken:
                pipeline.close()
        before = pipeline.cycles
        meetings = pipeline.run(block.operations)
        cycles = pipeline.cycles - before
        backward = previous is not None and (previous.target or 0) < previous.address + previous.size
        accesses, known_meetings = _with_meetings(block, meetings)
        unknown = len(meetings) - known_meetings
        expected = self._parameters.bank_conflict_percent * TICKS // 100
        seam = self._parameters.taken_branch_percent * TICKS // 100 if taken else 0
        return Edge(
            cycles * TICKS + seam + unknown * expected,
            known_meetings * expected,
            accesses,
            kind,
            taken,
            backward,
            penalty * TICKS,
            _stalls(pipeline.lost, lost, seam, unknown * expected),
        )

    @staticmethod
    def _follows(previous: Block, block: Block) -> bool:
        """Whether control can have gone from one to the other without an exception in between."""
        if previous.flow is Flow.INDIRECT:
            return True
        falls_through = previous.flow in (Flow.NEXT, Flow.CONDITIONAL)
        goes_on = falls_through and block.address == previous.address + previous.size
        return goes_on or (previous.target is not None and previous.target & ~1 == block.address)


def _stalls(now: list[int], before: tuple[int, ...], seam_ticks: int, meetings_ticks: int) -> Stalls:
    """Slots lost since `before`. A taken branch costs `seam_ticks` beside them, banks `meetings_ticks`."""
    lost = [total - earlier for total, earlier in zip(now, before, strict=True)]
    slot = TICKS // SLOTS
    return Stalls(
        mac_slots=lost[Cause.MAC],
        load_slots=lost[Cause.LOAD],
        other_slots=lost[Cause.OTHER],
        branch_ticks=lost[Cause.BRANCH] * slot + seam_ticks,
        bank_ticks=lost[Cause.BANK] * slot + meetings_ticks,
    )


def _with_meetings(block: Block, meetings: list[tuple[int, int]]) -> tuple[tuple[Access, ...], int]:
    """The accesses, those marked that issue together with the one before; and how many could be."""
    accesses = list(block.accesses)
    found = 0
    for first, second in meetings:
        older, younger = block.operations[first].accesses, block.operations[second].accesses
        if older and younger and younger[0] == older[0] + 1:
            access = accesses[younger[0]]
            accesses[younger[0]] = replace(access, flags=access.flags | MEETS_PREVIOUS)
            found += 1
    return tuple(accesses), found


def _it_length(instruction: Any) -> int:
    """Instructions that an IT makes conditional: IT, ITT, ITTT, ITTTT with T or E."""
    return len(instruction.mnemonic) - 1 if instruction.id == arm.ARM_INS_IT else 0
