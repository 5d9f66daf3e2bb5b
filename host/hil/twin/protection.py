"""The MPU on Unicorn's pages: rights go to `uc_mem_protect`, in pages of 1 KB.

A page that the MPU divides gets the rights that all its parts share; what Unicorn then refuses is
judged exactly, and an access that is allowed runs as a single step with the page open. A page that
asks for too many steps is left open, with a warning. Nothing happens while the MPU is off.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

from hil.twin import fault_status as fs
from hil.twin.engine import PAGE, BadAccess, Engine
from hil.twin.fault_status import Fault
from hil.twin.memory import Memory
from hil.twin.mpu import EXECUTE, READ, RIGHTS, WRITE, MpuRegions, default_rights

STEPS_MAX = 10_000
"""Single steps on one divided page before it is left open: about a second of the host's time."""

ALL = READ | WRITE | EXECUTE


@dataclass(frozen=True)
class Span:
    """Pages with the same rights."""

    base: int
    size: int
    rights: int


class Protection:
    """Which accesses the MPU lets through, enforced and asked."""

    def __init__(self, engine: Engine, memory: Memory, mpu: MpuRegions, warn: Callable[[str], None]) -> None:
        self._engine = engine
        self._memory = memory
        self._mpu = mpu
        self._warn = warn
        self._applied: dict[int, Span] = {}
        self._steps: dict[int, int] = {}
        self._given_up: set[int] = set()
        self._silent: set[tuple[int, int]] = set()
        """Spans that do not execute, as applied."""
        self._spans: dict[bool, list[Span]] = {}
        self.privileged = True
        self._urgent = False

    @property
    def enabled(self) -> bool:
        """Whether the MPU acts on the code that runs."""
        return self._mpu.enabled(self._urgent)

    @property
    def restricts_peripherals(self) -> bool:
        """Whether accesses to peripherals must be asked about."""
        return not self.privileged or (self._mpu.control != 0 and self.enabled)

    def reset(self) -> None:
        """The MPU is off, the core privileged."""
        self._mpu.reset()
        self._steps.clear()
        self._given_up.clear()
        self.changed()
        self.follow(privileged=True, urgent=False)

    def changed(self) -> None:
        """Firmware wrote to the MPU."""
        self._spans.clear()
        self._apply()

    def follow(self, privileged: bool, urgent: bool) -> None:
        """Other code runs now: at that privilege, `urgent` in HardFault or NMI."""
        if (privileged, urgent) != (self.privileged, self._urgent):
            self.privileged, self._urgent = privileged, urgent
            self._apply()

    def allows(self, kind: str, address: int, size: int, privileged: bool) -> bool:
        """Whether code at that level may read, write or fetch these bytes."""
        need = RIGHTS[kind]
        ends = address, address + size - 1
        if not self.enabled:
            return kind != "fetch" or all(default_rights(end) & EXECUTE for end in ends)
        inside = (edge for edge in self._mpu.edges() if ends[0] < edge <= ends[1])
        return all(self._mpu.rights(at, privileged) & need == need for at in (*ends, *inside))

    def may_store(self, address: int, size: int) -> bool:
        """Whether the code that runs may write these bytes."""
        return not self.enabled or self.allows("write", address, size, self.privileged)

    def restore(self) -> None:
        """Gives pages their rights again, after somebody else changed them."""
        for span in self._applied.values():
            self._protect(span.base, span.size, span.rights)

    def violation(self, kind: str, address: int, size: int) -> Fault | None:
        """The MemManage fault of an access by the code that runs, None where it is allowed."""
        if self.allows(kind, address, size, self.privileged):
            return None
        if kind == "fetch":
            cause = f"MemManage (IACCVIOL): fetch at 0x{address:08x}, which may not execute"
            return Fault(cause, fs.MEM_MANAGE, fs.CFSR_IACCVIOL, kind=kind)
        level = "privileged" if self.privileged else "unprivileged"
        cause = f"MemManage (DACCVIOL): {level} {kind} of {size} bytes at 0x{address:08x}"
        return Fault(cause, fs.MEM_MANAGE, fs.CFSR_DACCVIOL, address, kind=kind)

    def stack_fault(
        self, address: int, size: int, privileged: bool, mem_manage: int, bus_fault: int
    ) -> Fault | None:
        """Why a frame cannot be written at `address`, None where it can."""
        if not self.allows("write", address, size, privileged):
            cause = f"the MPU forbids the frame at 0x{address:08x}"
            return Fault(f"MemManage: {cause}", fs.MEM_MANAGE, mem_manage)
        region = self._memory.region(address)
        if region is None or not region.writable or not self._memory.holds(address, size):
            cause = f"exception stacking writes to 0x{address:08x}: the stack overflowed"
            return Fault(f"BusFault: {cause}", fs.BUS_FAULT, bus_fault)
        return None

    def step_through(self, access: BadAccess) -> bool:
        """Runs the instruction of an allowed access to a divided page; False where that is not it."""
        first = access.address & ~(PAGE - 1)
        pages = [first, first + PAGE] if self.enabled else []
        closed = [page for page in pages if page in self._steps and page not in self._given_up]
        if not closed:
            return False
        for page in closed:
            self._steps[page] += 1
            self._protect(page, PAGE, self._open(page))
        self._engine.step()
        for page in closed:
            if self._steps[page] >= STEPS_MAX:
                self._give_up(page)
            else:
                self._protect(page, PAGE, self._span_at(page).rights)
        return True

    def _give_up(self, page: int) -> None:
        self._given_up.add(page)
        self._warn(
            f"the MPU divides the page at 0x{page:08x} more finely than {PAGE} bytes and it is used too "
            "often to check each access: it is no longer protected"
        )

    def _open(self, page: int) -> int:
        region = self._memory.region(page)
        return ALL if region is None or region.writable else READ | EXECUTE

    def _span_at(self, page: int) -> Span:
        return next(s for s in self._applied.values() if s.base <= page < s.base + s.size)

    def _apply(self) -> None:
        if not self.enabled and not self._applied:
            return
        wanted = self._wanted() if self.enabled else self._unprotected()
        if [*self._applied.values()] == wanted:
            return
        for span in wanted:
            if self._applied.get(span.base) != span:
                self._protect(span.base, span.size, span.rights)
        silent = {(span.base, span.size) for span in wanted if not span.rights & EXECUTE}
        if silent - self._silent:
            self._engine.flush()  # translated code runs whatever its page's rights have become
        self._silent = silent
        self._applied = {span.base: span for span in wanted} if self.enabled else {}
        for page in self._given_up & self._steps.keys():
            self._protect(page, PAGE, self._open(page))

    def _protect(self, base: int, size: int, rights: int) -> None:
        self._engine.uc.mem_protect(base, size, rights)

    def _unprotected(self) -> list[Span]:
        return [Span(r.base, r.size, self._open(r.base)) for r in self._memory.regions]

    def _wanted(self) -> list[Span]:
        known = self._spans.get(self.privileged)
        if known is None:
            known = self._spans[self.privileged] = self._divide()
        return known

    def _divide(self) -> list[Span]:
        """The memories cut where rights change."""
        spans: list[Span] = []
        edges = self._mpu.edges()
        for region in self._memory.regions:
            inner = [edge for edge in edges if region.base < edge < region.end]
            fine = {edge & ~(PAGE - 1) for edge in inner if edge % PAGE}
            cuts = {region.base, *(edge for edge in inner if not edge % PAGE)}
            cuts |= fine | {page + PAGE for page in fine if page + PAGE < region.end}
            ordered = [*sorted(cuts), region.end]
            for base, end in pairwise(ordered):
                points = [base, *(edge for edge in inner if base < edge < end)]
                rights = self._open(region.base)
                for point in points:
                    rights &= self._mpu.rights(point, self.privileged)
                spans.append(Span(base, end - base, rights))
            for page in fine:
                self._steps.setdefault(page, 0)
        return spans
