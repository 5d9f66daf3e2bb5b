"""The pyOCD probe that is a twin on the desk. pyOCD knows nothing of the twin but this class."""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Sequence
from typing import Any

from pyocd.board.board import Board
from pyocd.board.board_ids import BoardInfo
from pyocd.core import exceptions
from pyocd.core.plugin import Plugin
from pyocd.probe.debug_probe import DebugProbe

from hil.errors import HilError
from hil.probe import registry, target
from hil.probe.client import DeskClient
from hil.probe.pending import WORDS_TOGETHER, Transfers
from hil.probe.protocol import Access, Outcome, What

BOARDS = {
    "nucleo_f746zg": BoardInfo("NUCLEO-F746ZG", target="stm32f746zgtx", vendor="STMicroelectronics"),
    "disco_f746g": BoardInfo("32F746G-DISCO", target="stm32f746nghx", vendor="STMicroelectronics"),
}
"""Boards by the name of their folder under `mcu/board`."""


class TwinProbe(DebugProbe):  # type: ignore[misc]
    """Serial wire to one twin. It selects no access port by itself: pyOCD writes SELECT."""

    def __init__(self, entry: registry.Entry) -> None:
        super().__init__()
        self._entry = entry
        self._client: DeskClient | None = None
        self._protocol: DebugProbe.Protocol | None = None
        self._reset_asserted = False
        self._transfers = Transfers(self._send)

    @classmethod
    def get_all_connected_probes(
        cls, unique_id: str | None = None, is_explicit: bool = False
    ) -> Sequence[TwinProbe]:
        return [cls(entry) for entry in registry.entries()]

    @classmethod
    def get_probe_with_id(cls, unique_id: str, is_explicit: bool = False) -> TwinProbe | None:
        entry = registry.find(unique_id)
        return None if entry is None else cls(entry)

    @property
    def vendor_name(self) -> str:
        return "hil"

    @property
    def product_name(self) -> str:
        return "twin"

    @property
    def description(self) -> str:
        info = self.associated_board_info
        return f"hil twin [{self._entry.board if info is None else info.name}]"

    @property
    def unique_id(self) -> str:
        return self._entry.unique_id

    @property
    def serial_port(self) -> str:
        """The pty of the board's serial cable."""
        return self._entry.serial

    @property
    def associated_board_info(self) -> BoardInfo | None:
        return BOARDS.get(self._entry.board)

    def create_associated_board(self) -> Board | None:
        info = self.associated_board_info
        return None if info is None or self.session is None else Board(self.session, board_info=info)

    @property
    def supported_wire_protocols(self) -> Collection[DebugProbe.Protocol]:
        return [DebugProbe.Protocol.DEFAULT, DebugProbe.Protocol.SWD]

    @property
    def wire_protocol(self) -> DebugProbe.Protocol | None:
        return self._protocol

    @property
    def is_open(self) -> bool:
        return self._client is not None

    @property
    def capabilities(self) -> set[DebugProbe.Capability]:
        return {DebugProbe.Capability.SWJ_SEQUENCE}

    def open(self) -> None:
        if self._client is None:
            try:
                self._client = DeskClient(self._entry)
            except HilError as error:
                raise exceptions.ProbeError(str(error)) from error

    def close(self) -> None:
        if self._client is not None:
            with contextlib.suppress(exceptions.Error):
                self._transfers.flush()
            self._client.close()
            self._client = None

    def connect(self, protocol: DebugProbe.Protocol | None = None) -> None:
        if protocol not in (None, *self.supported_wire_protocols):
            raise exceptions.ProbeError(f"the twin has serial wire only, not {protocol}")
        self._protocol = DebugProbe.Protocol.SWD

    def disconnect(self) -> None:
        self._transfers.flush()
        self._protocol = None

    def set_clock(self, frequency: float) -> None:
        """Nothing to do: accesses take no virtual time."""

    def swj_sequence(self, length: int, bits: int) -> None:
        self._call("sequence", length=length, bits=f"{bits:x}")

    def reset(self) -> None:
        self.assert_reset(True)
        self.assert_reset(False)

    def assert_reset(self, asserted: bool) -> None:
        self._call("reset", asserted=bool(asserted))
        self._reset_asserted = bool(asserted)

    def is_reset_asserted(self) -> bool:
        return self._reset_asserted

    def flush(self) -> None:
        self._transfers.flush()

    def read_dp(self, addr: int, now: bool = True) -> Any:
        return self._read(What.READ_DP, addr, now)

    def write_dp(self, addr: int, data: int) -> None:
        self._transfers.add(Access(What.WRITE_DP, addr & 0xC, words=(data,)))

    def read_ap(self, addr: int, now: bool = True) -> Any:
        return self._read(What.READ_AP, addr, now)

    def write_ap(self, addr: int, data: int) -> None:
        self._transfers.add(Access(What.WRITE_AP, addr & 0xC, words=(data,)))

    def read_ap_multiple(self, addr: int, count: int = 1, now: bool = True) -> Any:
        parts = [min(count - at, WORDS_TOGETHER) for at in range(0, count, WORDS_TOGETHER)]
        waiting = [self._transfers.add(Access(What.READ_AP, addr & 0xC, part)) for part in parts]

        def result() -> list[int]:
            return [word for pending in waiting for word in self._transfers.result(pending)]

        return result() if now else result

    def write_ap_multiple(self, addr: int, values: Sequence[int]) -> None:
        for at in range(0, len(values), WORDS_TOGETHER):
            words = tuple(values[at : at + WORDS_TOGETHER])
            self._transfers.add(Access(What.WRITE_AP, addr & 0xC, words=words))

    def _read(self, what: What, address: int, now: bool) -> Any:
        pending = self._transfers.add(Access(what, address & 0xC))

        def result() -> int:
            return self._transfers.result(pending)[0]

        return result() if now else result

    def _send(self, accesses: list[Access]) -> Outcome:
        try:
            return self._connected.transfer(accesses)
        except HilError as error:
            raise exceptions.ProbeDisconnected(str(error)) from error

    def _call(self, name: str, **arguments: Any) -> None:
        self._transfers.flush()
        try:
            self._connected.call(name, **arguments)
        except HilError as error:
            raise exceptions.ProbeError(str(error)) from error

    @property
    def _connected(self) -> DeskClient:
        if self._client is None:
            raise exceptions.ProbeError("the probe is not open")
        return self._client


class TwinProbePlugin(Plugin):  # type: ignore[misc]
    """What the entry point in the group `pyocd.probe` names."""

    def should_load(self) -> bool:
        return True

    def load(self) -> type[TwinProbe]:
        target.register()
        return TwinProbe

    @property
    def name(self) -> str:
        return "hiltwin"

    @property
    def description(self) -> str:
        return "Emulated STM32F746 boards of hil, started with `hil twin --probe`"
