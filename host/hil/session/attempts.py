"""One sample after the other on a device that may fail: brought back when lost, checked when in doubt."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from hil.boards.protocol import BoardInfo
from hil.deploy.deployment import Deployment, Reference
from hil.errors import BoardError, FirmwareDamagedError, HilError, ProtocolError
from hil.link.radio import Radio
from hil.measure.energy import EnergyModel
from hil.session import intact
from hil.session.bus import Bus
from hil.session.device import Device
from hil.session.drift import warn_of_drift
from hil.session.events import SampleRecord, Warned
from hil.session.exchange import Conversation, Exchange, RefusedError
from hil.session.in_time import Deadline
from hil.session.integrity import check_firmware
from hil.session.options import RunOptions
from hil.session.record import Place, agrees, failed_record, follows, is_doubtful, make_record
from hil.session.relay import Relay
from hil.session.sensor import SensorWatch
from hil.wire.body import AlteredError
from hil.wire.protocol import NonceSource, Outcome
from hil.wire.to_host import Checked
from hil.wire.transport import DeviceResetError

TRIES = 2
TRIES_AFTER_RESET = 3
"""Of a sample. A supply that comes back may bounce, and a reset that was told costs no more than a sample."""

Oracle = Callable[[NDArray[np.int8]], Reference]
"""From one int8 input (height, width, channels) to what the device must compute."""

Sense = Callable[[NDArray[np.int8]], NDArray[np.int8]]
"""From what is there to what the sensor says is there."""


@dataclass
class Attempts:
    """Brings each sample to its record, and keeps what it learns on the way."""

    deployment: Deployment
    info: BoardInfo
    options: RunOptions
    oracle: Oracle | None
    device: Device
    relay: Relay
    radio: Radio
    energy: EnergyModel | None
    bus: Bus
    layer_cycles: list[tuple[int, ...]] = field(default_factory=list)
    checks: list[Checked] = field(default_factory=list)
    """Those of the firmware that found it sound."""
    lost: int = 0
    """How often in a row the device was lost."""
    begun: int = 1
    """How often the sample under way was begun."""

    def __post_init__(self) -> None:
        self.sensor = SensorWatch(self.bus)

    def sample(self, place: Place, data: NDArray[np.int8], sense: Sense) -> SampleRecord:
        """What became of the sample whose input is `data`, of which the device gets what `sense` makes.

        Raises BoardError when the device is lost too often.
        """
        record = self._record(place, data, sense(data))
        if is_doubtful(record) and self.is_damaged(f"after sample {place.index}"):
            self.device.restart()
            again = self._record(place, data, sense(data))
            record = replace(again, attempts=record.attempts + again.attempts)
        return record

    def rest(self) -> None:
        """Until the next sample is due; a device that is lost meanwhile is brought back."""
        try:
            self.device.rest(self.options.period_s)
        except (BoardError, ProtocolError) as error:
            self._recover(self._cause(error))

    def _record(self, place: Place, data: NDArray[np.int8], given: NDArray[np.int8]) -> SampleRecord:
        self.begun = 1
        repeated = self.device.counters.retransmissions
        outcome = self.sensor.stuck(given, data) or self._converse(place, given.tobytes())
        repeated = self.device.counters.retransmissions - repeated
        if isinstance(outcome, str):
            record = failed_record(place, outcome, repeated)
        else:
            record = self._judge(place, data, outcome, repeated)
        return replace(record, attempts=self.begun)

    def is_damaged(self, when: str) -> bool:
        """Has the firmware checked. What cannot be asked is told, and does not count as damaged."""
        start = zlib.crc32(f"{self.options.seed} {len(self.checks)}".encode()) | 1
        try:
            found = check_firmware(self.device.transport, self.deployment, self.info.slowness, start)
        except FirmwareDamagedError as error:
            self.bus.emit(Warned(error.code, f"{when} {error.message}", error.hint))
            return True
        except (BoardError, ProtocolError) as error:
            self.bus.warn_once("firmware-unchecked", f"{when}: {self._cause(error).message}", error.hint)
        else:
            self.checks.append(found)
        return False

    def _converse(self, place: Place, data: bytes) -> Exchange | str:
        """The exchange, or why there is none. There are other tries after a lost device and altered data."""
        reason, tries, self.begun = "", TRIES, 0
        while self.begun < tries:
            self.begun += 1
            try:
                exchange = self._conversation().run(place.index, data, self._wants_layers(place))
                intact.check(exchange, data)
            except AlteredError as error:
                reason = error.message
                self.bus.warn_once("altered", f"sample {place.index}: {reason}", "such samples are run again")
            except RefusedError as error:
                self.device.recover()  # what else it refused is still on its way; start afresh
                return error.message
            except (BoardError, ProtocolError) as error:
                cause = self._cause(error)
                reason = cause.message
                tries = TRIES_AFTER_RESET if isinstance(cause, DeviceResetError) else tries
                self._recover(cause)
            else:
                self.lost = 0
                return exchange
        return reason

    def _wants_layers(self, place: Place) -> bool:
        return place.index < self.options.layer_samples

    def _conversation(self) -> Conversation:
        deadline_s = self.options.deadline_ms / 1000
        timeout_s = self.options.request_timeout_s
        return Conversation(
            self.device.transport,
            self.relay,
            self.radio,
            self.bus,
            self.options.seed,
            deadline_s,
            timeout_s if self.info.virtual_time else min(timeout_s, deadline_s),
            self.info.slowness,
            self.device.usage,
            Deadline.of(self.deployment.manifest, deadline_s, self.info),
            self.device.capability.nonce_source is not NonceSource.NONE,
        )

    def _cause(self, error: HilError) -> HilError:
        """What the board knows about its silence, or `error` when it knows nothing."""
        try:
            self.device.check()
        except BoardError as crash:
            return crash
        return error

    def _recover(self, error: HilError) -> None:
        self.lost += 1
        damaged = isinstance(error, FirmwareDamagedError)
        self.bus.emit(Warned(error.code if damaged else "device-lost", error.message, error.hint))
        if self.lost > self.options.recoveries:
            raise BoardError(f"the device was lost {self.lost} times in a row: {error.message}", error.hint)
        self.device.recover()

    def _judge(self, place: Place, data: NDArray[np.int8], exchange: Exchange, repeated: int) -> SampleRecord:
        assert exchange.result is not None
        if exchange.layers is not None:
            self.layer_cycles.append(exchange.layers)
        agreement = None
        if self.oracle is not None and exchange.result.outcome is not Outcome.FAILED:
            agreement = agrees(exchange, self.oracle(data), self.deployment.fusion)
        elif exchange.result.outcome is not Outcome.FAILED and not follows(exchange, self.deployment.fusion):
            agreement = False
        clock_hz = self.device.capability.clock_hz
        if not repeated and not exchange.result.retransmissions:
            warn_of_drift(exchange, clock_hz, self.info, self.bus)
        return make_record(place, exchange, clock_hz, self.energy, agreement, repeated)
