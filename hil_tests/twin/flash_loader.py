"""A probe's part in flashing: loads the algorithm into RAM and calls its functions on the core."""

from __future__ import annotations

from hil.probe.build_algorithm import Algorithm
from hil.probe.flash_algorithm import LOAD_ADDRESS, PAGE_BUFFERS, PAGE_BYTES, load
from hil.twin import Twin

ERASE, PROGRAM, VERIFY = 1, 2, 3


class Loader:
    """The committed algorithm, or `algorithm`, at `load_address` of `twin`."""

    def __init__(
        self, twin: Twin, algorithm: Algorithm | None = None, load_address: int = LOAD_ADDRESS
    ) -> None:
        data = load()
        code = algorithm.code if algorithm else bytes.fromhex(data["code"])
        self._functions = algorithm.functions if algorithm else data["functions"]
        self._at = load_address
        self.twin = twin
        twin.write(load_address, code)
        twin.flush()

    def call(self, name: str, *args: int) -> int:
        """Calls a function of the algorithm; returns r0."""
        return self.twin.call(self.address(name), *args)

    def address(self, name: str) -> int:
        """Where a function of the algorithm begins."""
        return self._at + self._functions[name]

    def erase(self, *addresses: int) -> int:
        """Erases the sectors at `addresses`; the first result that is not 0."""
        results = [self.call("Init", 0, 0, ERASE), *(self.call("EraseSector", a) for a in addresses)]
        return next(filter(None, [*results, self.call("UnInit", ERASE)]), 0)

    def program(self, address: int, data: bytes) -> int:
        """Programs `data` page by page; the first result that is not 0."""
        results = [self.call("Init", 0, 0, PROGRAM)]
        for at in range(0, len(data), PAGE_BYTES):
            page = data[at : at + PAGE_BYTES]
            self.twin.write(PAGE_BUFFERS[0], page)
            results.append(self.call("ProgramPage", address + at, len(page), PAGE_BUFFERS[0]))
        return next(filter(None, [*results, self.call("UnInit", PROGRAM)]), 0)
