"""Straight-line assembly for the Cortex-M7: which instruction next, and which register for what.

GCC 12 knows no latencies of the DSP instructions that kernels write as inline assembly, and moves loads so
far ahead that it spills them. A `Block` is a list of instructions on names instead of registers; `schedule`
orders them for two issues a cycle (rules as in `hil.twin.timing.pipeline`, same sources) without ever
needing more registers than there are, and writes one `__asm` statement.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from enum import Enum


class Unit(Enum):
    """What an instruction occupies, and how long its result takes."""

    LOAD = "load"
    SUBWORD = "subword load"
    STORE = "store"
    MAC = "mac"
    BIT = "bit"
    """SXTB16, PKHBT."""
    SATURATE = "saturate"
    ALU = "alu"


@dataclass(frozen=True)
class Instruction:
    """`text` with {d} for the result, {0}, {1} … for the sources; everything else stands as it is.

    The last source of a multiply-accumulate is its accumulator.
    """

    text: str
    unit: Unit
    result: str | None
    sources: tuple[str, ...]


_TO_MULTIPLIER = {Unit.LOAD: 2, Unit.SUBWORD: 2, Unit.MAC: 2, Unit.BIT: 1, Unit.SATURATE: 2, Unit.ALU: 1}
_TO_ACCUMULATOR = {Unit.LOAD: 0, Unit.SUBWORD: 1, Unit.MAC: 1, Unit.BIT: 0, Unit.SATURATE: 1, Unit.ALU: 0}
_TO_ALU = {Unit.LOAD: 1, Unit.SUBWORD: 2, Unit.MAC: 2, Unit.BIT: 1, Unit.SATURATE: 2, Unit.ALU: 1}
_TO_ADDRESS = {Unit.LOAD: 2, Unit.SUBWORD: 3, Unit.MAC: 3, Unit.BIT: 2, Unit.SATURATE: 3, Unit.ALU: 2}
_DSP = (Unit.BIT, Unit.SATURATE)


@dataclass
class Block:
    """Instructions in an order that is right, if slow. Names are bound once (see `fresh`)."""

    instructions: list[Instruction] = field(default_factory=list)
    _names: int = 0

    def fresh(self) -> str:
        """A new name."""
        self._names += 1
        return f"v{self._names}"

    def put(self, unit: Unit, text: str, *sources: str) -> str:
        """An instruction with a result, whose name is returned."""
        result = self.fresh()
        self.instructions.append(Instruction(text, unit, result, sources))
        return result

    def load(self, base: str, offset: int) -> str:
        """LDR of an aligned word; `base` is an operand."""
        return self.put(Unit.LOAD, f"ldr {{d}}, [%[{base}], #{offset}]")

    def load_byte(self, base: str, offset: int) -> str:
        """LDRSB."""
        return self.put(Unit.SUBWORD, f"ldrsb {{d}}, [%[{base}], #{offset}]")

    def mac(self, name: str, x: str, y: str, total: str) -> str:
        """SMLAD and its kind, and SMMLAR."""
        return self.put(Unit.MAC, f"{name} {{d}}, {{0}}, {{1}}, {{2}}", x, y, total)

    def saturate(self, value: str) -> str:
        """SSAT to 8 bits."""
        return self.put(Unit.SATURATE, "ssat {d}, #8, {0}", value)

    def store(self, name: str, value: str, base: str, offset: int) -> None:
        """STRB, STRH or STR."""
        text = f"{name} {{0}}, [%[{base}], #{offset}]"
        self.instructions.append(Instruction(text, Unit.STORE, None, (value,)))


@dataclass(frozen=True)
class Scheduled:
    """`order` of a block's instructions, and `cycles` until the last has issued."""

    order: tuple[Instruction, ...]
    cycles: int
    registers: dict[str, int]
    """Of every name."""

    @property
    def count(self) -> int:
        """How many registers it takes."""
        return 1 + max(self.registers.values(), default=-1)

    def lines(self) -> list[str]:
        """Assembly on operands `%[t0]` … and those that the instructions name themselves."""

        def operand(name: str) -> str:
            return f"%[t{self.registers[name]}]" if name in self.registers else f"%[{name}]"

        return [
            item.text.format(*map(operand, item.sources), d=operand(item.result) if item.result else "")
            for item in self.order
        ]


def schedule(block: Block, registers: int) -> Scheduled:
    """The fastest of several orders of `block` in at most `registers` registers.

    Raises ValueError when even the given order needs more.
    """
    attempts = [
        found
        for window in (48, 24, 12, 6, 1)
        for reserve in (0, 1, 2)
        for critical in (True, False)
        if (found := _List(block.instructions, registers, window, reserve, critical).run()) is not None
    ]
    if not attempts:
        raise ValueError(f"{len(block.instructions)} instructions do not fit into {registers} registers")
    best = min(attempts, key=lambda attempt: attempt.cycles)
    return replace(best, registers=_allocate(best.order, registers))


class _List:
    """List scheduling: cycle by cycle, the most urgent instruction that can go."""

    def __init__(
        self, items: Sequence[Instruction], registers: int, window: int, reserve: int, critical: bool
    ) -> None:
        self.items, self.registers = items, registers
        self.window, self.reserve = window, reserve
        self.makers = {item.result: index for index, item in enumerate(items) if item.result}
        self.uses: dict[str, int] = {}
        for item in items:
            for name in set(item.sources):
                self.uses[name] = self.uses.get(name, 0) + 1
        self.urgency = _urgency(items, self.makers) if critical else [-index for index in range(len(items))]
        self.issued: dict[int, int] = {}
        self.live: set[str] = set()
        self.order: list[Instruction] = []

    def run(self) -> Scheduled | None:
        """The order, or None where it got stuck for want of registers."""
        waiting = list(range(len(self.items)))
        cycle, stalled = 0, 0
        while waiting:
            older = self._pick(waiting, cycle, None)
            if older is None:
                stalled += 1
                if stalled > 8:
                    return None
                cycle += 1
                continue
            stalled = 0
            self._issue(waiting, older, cycle)
            younger = self._pick(waiting, cycle, self.items[older])
            if younger is not None:
                self._issue(waiting, younger, cycle)
            cycle += 1
        return Scheduled(tuple(self.order), cycle, {})

    def _pick(self, waiting: list[int], cycle: int, older: Instruction | None) -> int | None:
        best: int | None = None
        for place, index in enumerate(waiting[: self.window]):
            item = self.items[index]
            if older is not None and not _pairs(older, item):
                continue
            if not self._ready(item, cycle) or not self._fits(item, place == 0):
                continue
            if best is None or self.urgency[index] > self.urgency[best]:
                best = index
        return best

    def _ready(self, item: Instruction, cycle: int) -> bool:
        for position, name in enumerate(item.sources):
            maker = self.makers.get(name)
            if maker is None:
                continue
            at = self.issued.get(maker)
            if at is None or at + _latency(self.items[maker], item, position) > cycle:
                return False
        return True

    def _fits(self, item: Instruction, oldest: bool) -> bool:
        dying = sum(name in self.live and self.uses[name] == 1 for name in set(item.sources))
        after = len(self.live) - dying + (item.result is not None)
        return after <= self.registers - (0 if oldest or after <= len(self.live) else self.reserve)

    def _issue(self, waiting: list[int], index: int, cycle: int) -> None:
        item = self.items[index]
        waiting.remove(index)
        self.issued[index] = cycle
        self.order.append(item)
        for name in set(item.sources):
            self.uses[name] -= 1
            if not self.uses[name]:
                self.live.discard(name)
        if item.result is not None and self.uses.get(item.result):
            self.live.add(item.result)


def _pairs(older: Instruction, younger: Instruction) -> bool:
    units = {older.unit, younger.unit}
    if younger.unit in _DSP or older.unit is younger.unit is Unit.STORE:
        return False
    if older.unit is younger.unit is Unit.MAC or units == {Unit.MAC, Unit.STORE}:
        return False
    return older.result is None or older.result not in younger.sources


def _latency(maker: Instruction, item: Instruction, position: int) -> int:
    if item.unit is Unit.MAC:
        last = position == len(item.sources) - 1
        return (_TO_ACCUMULATOR if last else _TO_MULTIPLIER)[maker.unit]
    if item.unit in (Unit.LOAD, Unit.SUBWORD):
        return _TO_ADDRESS[maker.unit]
    return _TO_ALU[maker.unit]


def _urgency(items: Sequence[Instruction], makers: dict[str, int]) -> list[int]:
    """Cycles from each instruction to the end of the longest chain behind it."""
    urgency = [1] * len(items)
    for index in reversed(range(len(items))):
        for position, name in enumerate(items[index].sources):
            if (maker := makers.get(name)) is not None:
                path = urgency[index] + _latency(items[maker], items[index], position)
                urgency[maker] = max(urgency[maker], path)
    return urgency


def _allocate(order: Sequence[Instruction], registers: int) -> dict[str, int]:
    """A register for every name, free again after the last use."""
    last = {name: index for index, item in enumerate(order) for name in item.sources}
    made = {item.result for item in order}
    free, given = list(range(registers)), dict[str, int]()
    for index, item in enumerate(order):
        for name in dict.fromkeys(item.sources):
            if name in made and last[name] == index:
                free.append(given[name])
        free.sort()
        if item.result is not None:
            given[item.result] = free.pop(0)
            if item.result not in last:
                free.append(given[item.result])
    return given


def statement(scheduled: Scheduled, inputs: Sequence[str], in_out: Sequence[str] = ()) -> list[str]:
    """C: declarations of the temporaries, and the `__asm` with `inputs` and `in_out` C variables."""
    names = [f"t{index}" for index in range(scheduled.count)]
    outputs = [_operand("=&r", name) for name in names] + [_operand("+&r", name) for name in in_out]
    lines = [f"uint32_t {', '.join(names)};", "__asm volatile("]
    lines += [f'    "{line}\\n\\t"' for line in scheduled.lines()]
    lines += [
        f"    : {', '.join(outputs)}",
        f"    : {', '.join(_operand('r', name) for name in inputs)}",
        '    : "memory");',
    ]
    return lines


def _operand(constraint: str, name: str) -> str:
    return f'[{name}] "{constraint}"({name})'
