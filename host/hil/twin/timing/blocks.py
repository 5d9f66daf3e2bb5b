"""Costs of basic blocks in the context of the block before, computed once."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from capstone import arm

from hil.twin.timing.addresses import MEETS_PREVIOUS, Access, AddressFinder
from hil.twin.timing.decode import Decoder, disassembler
from hil.twin.timing.operation import Flow, Operation
from hil.twin.timing.parameters import TICKS, Parameters
from hil.twin.timing.pipeline import Pipeline


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
    def target(self) -> int | None:
        return self.operations[-1].target if self.operations else None


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
        if previous is not None and previous.operations and self._follows(previous, block):
            pipeline.run(previous.operations)
            ends_at = previous.address + previous.size
            kind = previous.flow
            taken = kind is not Flow.NEXT and not (kind is Flow.CONDITIONAL and ends_at == block.address)
            known = pipeline.flags_ahead >= self._parameters.flags_ahead and kind is Flow.CONDITIONAL
            penalty = self._parameters.mispredict_known if known else self._parameters.mispredict
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
        )

    @staticmethod
    def _follows(previous: Block, block: Block) -> bool:
        """Whether control can have gone from one to the other without an exception in between."""
        if previous.flow is Flow.INDIRECT:
            return True
        falls_through = previous.flow in (Flow.NEXT, Flow.CONDITIONAL)
        goes_on = falls_through and block.address == previous.address + previous.size
        return goes_on or (previous.target is not None and previous.target & ~1 == block.address)


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
