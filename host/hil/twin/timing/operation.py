"""One decoded instruction as the pipeline sees it: what it needs, what it gives, what it excludes."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum, auto

FLAGS = 16
FP_FIRST = 17
"""S0; S31 is FP_FIRST + 31."""
FP_FLAGS = FP_FIRST + 32
REGISTERS = FP_FLAGS + 1
SP, LR, PC = 13, 14, 15


class Kind(IntEnum):
    """Classes of instructions that issue and answer alike."""

    ALU = auto()
    EARLY_ALU = auto()
    """add, sub, mov without a shifted operand: in the early ALU when issued as the older one (J)."""
    SHIFT = auto()
    """mov with a shift: in the early ALU from either slot (J)."""
    BIT_EARLY = auto()
    """ubfx, sbfx, rbit, rev: in the early ALU, result one cycle late for addresses (J)."""
    BIT = auto()
    SATURATE = auto()
    MAC = auto()
    LOAD = auto()
    STORE = auto()
    MULTIPLE = auto()
    DIVIDE = auto()
    BRANCH = auto()
    FP = auto()
    FP_MAC = auto()
    FP_DIVIDE = auto()
    FP_MOVE = auto()
    FP_TO_CORE = auto()
    FP_FROM_CORE = auto()
    SYSTEM = auto()


class Port(IntEnum):
    """Where in the pipeline a source is read; each has its own time at which a result arrives."""

    EARLY = 0
    """Addresses and shifted operands. Of an FP register: data of a store."""
    LATE = 1
    """The late ALU. Of an FP register: an operand of add and multiply."""
    MULTIPLY = 2
    """Factors of a product."""
    ACCUMULATE = 3
    """The sum a product is added to."""


class Flow(IntEnum):
    """How control leaves a block."""

    NEXT = 0
    DIRECT = 1
    CONDITIONAL = 2
    INDIRECT = 3


@dataclass(frozen=True, slots=True)
class Operation:
    """See the module. Registers are 0 to 15, FLAGS, and FP_FIRST on."""

    kind: Kind
    needs: tuple[tuple[Port, int], ...] = ()
    results: tuple[int, ...] = ()
    base_result: int | None = None
    """The address register that a load or store writes back."""
    cycles: int = 1
    alone: bool = False
    shifter: bool = False
    """Uses the one shifter of the early stage for an operand."""
    subword: bool = False
    bank: tuple[int, int] | None = None
    """Base register and offset of a word load: the offset's parity tells banks apart."""
    accesses: tuple[int, ...] = ()
    """Indices into the block's list of data accesses."""
    flow: Flow = Flow.NEXT
    target: int | None = None
