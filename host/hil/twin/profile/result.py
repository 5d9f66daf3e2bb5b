"""A profile as values: totals, functions, call stacks. All costs are in ticks of 1/100 cycle."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from hil.twin.image import Image
from hil.twin.profile.recorder import EXCEPTION_KEY, Recorder
from hil.twin.profile.records import NOWHERE, Class, Node

CPI = Mapping[Class, int]
"""A CPI stack: ticks by class, with all classes in it."""

_EXCEPTIONS = {
    2: "NMI", 3: "HardFault", 4: "MemManage", 5: "BusFault", 6: "UsageFault", 11: "SVCall",
    12: "DebugMonitor", 14: "PendSV", 15: "SysTick",
}  # fmt: skip
CROWDED = "(contexts beyond the tree's size)"
FIRST_IRQ = 16


@dataclass(frozen=True)
class Stack:
    """A function in one context: `frames` from the outermost function, or the exception, inwards."""

    frames: tuple[str, ...]
    calls: int
    instructions: int
    inclusive_ticks: int
    cpi: CPI

    @property
    def self_ticks(self) -> int:
        return sum(self.cpi.values())


@dataclass(frozen=True)
class FunctionCost:
    """A function over all its contexts; recursion counts once in what is inclusive."""

    name: str
    address: int | None
    """None for the entry and return of an exception."""
    calls: int
    instructions: int
    cpi: CPI
    inclusive_ticks: int

    @property
    def self_ticks(self) -> int:
        return sum(self.cpi.values())


@dataclass(frozen=True)
class Profile:
    """What a twin spent since power-on."""

    awake_ticks: int
    sleep_ticks: int
    instructions: int
    functions: tuple[FunctionCost, ...]
    """The dearest first; their own ticks add up to `awake_ticks`."""
    stacks: tuple[Stack, ...]
    """In depth-first order, callees in the order they were first called."""

    @classmethod
    def of(cls, recorder: Recorder, image: Image) -> Profile:
        """What `recorder` has up to now."""
        recorder.settle()
        names = _Names(image)
        nodes = [recorder.nodes[i] for i in range(recorder.state.node_count)]
        inclusive = [sum(node.ticks) for node in nodes]
        for index in range(len(nodes) - 1, 0, -1):  # callees come after their callers
            if nodes[index].parent != NOWHERE:
                inclusive[nodes[index].parent] += inclusive[index]
        functions = _functions(nodes, inclusive, names)
        return cls(
            awake_ticks=recorder.awake_ticks,
            sleep_ticks=recorder.state.slept_ticks,
            instructions=sum(function.instructions for function in functions),
            functions=tuple(functions),
            stacks=tuple(_stacks(nodes, inclusive, names)),
        )

    @property
    def cpi(self) -> CPI:
        """Of everything."""
        return {cls: sum(function.cpi[cls] for function in self.functions) for cls in Class}


class _Names:
    """Functions by address; those without a symbol by the address itself."""

    def __init__(self, image: Image) -> None:
        self._names = {function.address: function.name for function in image.functions}

    def of(self, key: int) -> str:
        if not key:
            return CROWDED
        if key < EXCEPTION_KEY:
            return self._names.get(key) or f"0x{key:08x}"
        number = key - EXCEPTION_KEY
        known = _EXCEPTIONS.get(number, f"exception {number}")
        return f"[{known if number < FIRST_IRQ else f'interrupt {number - FIRST_IRQ}'}]"


def _cpi(node: Node) -> dict[Class, int]:
    return {cls: node.ticks[cls] for cls in Class}


def _functions(nodes: list[Node], inclusive: list[int], names: _Names) -> list[FunctionCost]:
    members: dict[int, list[int]] = defaultdict(list)
    for index, node in enumerate(nodes):
        members[node.key].append(index)
    found = []
    for key, indices in members.items():
        outermost = [i for i in indices if not _inside_itself(nodes, i)]
        cost = FunctionCost(
            name=names.of(key),
            address=key if 0 < key < EXCEPTION_KEY else None,
            calls=sum(nodes[i].calls for i in indices),
            instructions=sum(nodes[i].instructions for i in indices),
            cpi={cls: sum(nodes[i].ticks[cls] for i in indices) for cls in Class},
            inclusive_ticks=sum(inclusive[i] for i in outermost),
        )
        if cost.inclusive_ticks or cost.calls:
            found.append(cost)
    return sorted(found, key=lambda cost: (-cost.self_ticks, cost.name, cost.address or 0))


def _inside_itself(nodes: list[Node], index: int) -> bool:
    key, at = nodes[index].key, nodes[index].parent
    while at != NOWHERE:
        if nodes[at].key == key:
            return True
        at = nodes[at].parent
    return False


def _stacks(nodes: list[Node], inclusive: list[int], names: _Names) -> Iterator[Stack]:
    children: dict[int, list[int]] = defaultdict(list)
    for index, node in enumerate(nodes):
        if node.calls or inclusive[index]:
            children[node.parent].append(index)
    rest: list[tuple[int, tuple[str, ...]]] = [(index, ()) for index in reversed(children[NOWHERE])]
    while rest:
        index, outer = rest.pop()
        node = nodes[index]
        frames = (*outer, names.of(node.key))
        yield Stack(frames, node.calls, node.instructions, inclusive[index], _cpi(node))
        rest += ((child, frames) for child in reversed(children[index]))
