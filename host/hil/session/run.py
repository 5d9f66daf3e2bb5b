"""One run: the same for every board, from the first greeting to the summary."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from hil import interrupts
from hil.boards.protocol import Board, RunningBoard
from hil.deploy.deployment import Deployment
from hil.errors import HilError, SessionError
from hil.faults.plan import Faults
from hil.link.parse import parse_radio
from hil.link.presets import RADIOS
from hil.link.radio import Radio
from hil.measure.energy import EnergyModel, energy_model
from hil.measure.memory import memory_use
from hil.server.answer import Server
from hil.session.artefacts import keep_artefacts, keyed_image
from hil.session.attempts import Attempts, Oracle
from hil.session.bus import Bus
from hil.session.device import Device
from hil.session.events import (
    Reporter,
    RunFinished,
    RunStarted,
    SampleFinished,
    SampleRecord,
    StageFinished,
    StageStarted,
    Warned,
)
from hil.session.external import board_provenance, keep_logs
from hil.session.folder import RunFolder
from hil.session.handshake import Handshake
from hil.session.options import RunOptions
from hil.session.overlap import early_bytes
from hil.session.provenance import provenance
from hil.session.record import Place
from hil.session.relay import Relay
from hil.session.room import check_room, expected_bytes
from hil.session.samples import Samples, choose
from hil.session.summary import RunData, RunFacts, build_summary
from hil.wire.protocol import NonceSource

Picture = Callable[[Mapping[str, Any], Sequence[SampleRecord]], str | None]
"""From summary and records to an SVG; None when there is nothing to see."""


@dataclass(frozen=True)
class RunResult:
    """A finished run."""

    folder: Path
    summary: dict[str, Any]
    records: tuple[SampleRecord, ...]


def run_session(
    deployment: Deployment,
    board: Board,
    samples: Samples,
    *,
    options: RunOptions,
    oracle: Oracle | None = None,
    server: Server | None = None,
    reporters: Sequence[Reporter] = (),
    command: Sequence[str] = (),
    signed_by: str | None = None,
    timeline: Picture | None = None,
    device_key: bytes | None = None,
) -> RunResult:
    """Runs `options.n` samples through `board`, the modelled radio and `server`; prints nothing.

    `signed_by` is whose signature of the bundle was checked. `timeline` draws the folder's `timeline.svg`.
    With a `device_key`, which `server` has as well, the device takes authentic replies only. Without an
    `oracle` agreement is not checked; without a `server` every payload falls back. The caller owns `server`
    and stops it. Whatever ends the run, KeyboardInterrupt included, the run folder is closed with a summary,
    reporters get RunFinished and are closed, and the exception goes on.
    Raises BoardError, ProtocolError, ServerError, SessionError.
    """
    name = options.name or f"{deployment.manifest.scheme}-{deployment.manifest.dataset}-{board.info.name}"
    check_room(options.out, expected_bytes(deployment, options))
    folder = RunFolder.create(options.out, name, options.transcript)
    bus = Bus(reporters, folder.record)
    try:
        run = _Run(
            deployment,
            board,
            samples,
            options,
            oracle,
            server,
            command,
            signed_by,
            folder,
            bus,
            timeline,
            device_key,
        )
    except BaseException:
        folder.discard()
        raise
    try:
        run.execute()
    except BaseException as error:
        with contextlib.suppress(SessionError):
            run.finish(_reason(error))
        raise
    return RunResult(folder.path, run.finish(None), tuple(run.records))


def _reason(error: BaseException) -> str:
    if isinstance(error, KeyboardInterrupt):
        return "interrupted"
    return error.message if isinstance(error, HilError) else repr(error)


@dataclass
class _Run:
    deployment: Deployment
    board: Board
    samples: Samples
    options: RunOptions
    oracle: Oracle | None
    server: Server | None
    command: Sequence[str]
    signed_by: str | None
    folder: RunFolder
    bus: Bus
    timeline: Picture | None = None
    device_key: bytes | None = field(default=None, repr=False)
    records: list[SampleRecord] = field(default_factory=list)
    nonce_source: NonceSource = NonceSource.NONE
    """The device's, once it has introduced itself."""
    began_s: float = field(default_factory=time.monotonic)

    def __post_init__(self) -> None:
        options, deployment = self.options, self.deployment
        sends = deployment.manifest.payload is not None
        # Where nothing is sent, the radio that was asked for is neither used nor powered.
        self.radio: Radio = parse_radio(options.radio).for_run(options.n) if sends else RADIOS["none"]
        fixed_s = None if options.server_ms is None else options.server_ms / 1000
        self.faults = Faults(options.inject, options.n, options.seed, self.board.info.name, self.bus.emit)
        self.relay = Relay(
            self.faults.server(self.server),
            deployment.bundle_hash,
            deployment.manifest.classes,
            self.bus,
            fixed_s,
        )
        self.energy: EnergyModel | None = energy_model(deployment.clock_hz, self.radio)
        self.facts = RunFacts(
            deployment,
            self.board.info,
            self.radio,
            options,
            self.relay.source,
            self.energy is not None,
            provenance(deployment, self.command, self.signed_by) | board_provenance(self.board),
            self.device_key is not None,
        )
        self.faults.folder(self.folder)
        self.device = Device(
            self.faults.board(self.board), deployment.elf, self._handshake, self.folder.trace
        )
        self.attempts = Attempts(
            deployment,
            self.board.info,
            options,
            self.oracle,
            self.device,
            self.relay,
            self.radio,
            self.energy,
            self.bus,
        )

    def execute(self) -> None:
        """Everything up to the last sample; leaves board and connection closed."""
        self.folder.publish(build_summary(self.facts, RunData(interruption="not finished")))
        keep_artefacts(self.folder, self.deployment)
        try:
            with keyed_image(self.deployment.elf, self.device_key) as self.device.image:
                self._run_samples()
        finally:
            self.faults.close()
            self.relay.close()
            self.device.close()

    def _run_samples(self) -> None:
        if self.device_key is not None:
            self._serve()  # the device wants its nonce
        self._boot()
        if self.device_key is None:
            self._serve()
        self._announce()
        self.began_s = time.monotonic()
        order = choose(self.options.n, len(self.samples.split), self.options.seed)
        for index, sample in enumerate(order.tolist()):
            if index and self.options.period_s:
                self.attempts.rest()
            with self.faults.sample(index):
                self._sample(self._place(index, sample))
        self.attempts.is_damaged("at the end of the run")

    def _serve(self) -> None:
        if self.server is not None and self.deployment.manifest.payload is not None:
            with self._stage("serve"):
                self.relay.open(self.options.ready_timeout_s)

    def _boot(self) -> None:
        with self._stage("boot", self.board.info.name):
            self.device.open()
        for error in self.device.flashed_again:
            self.bus.emit(Warned("firmware-repaired", error.message, "it was flashed again"))
        self.nonce_source = self.device.capability.nonce_source
        if self.nonce_source is NonceSource.COUNTER:
            hint = "its nonce comes from cycle counter and unique ID; replies of another run may pass"
            self.bus.emit(Warned("weak-nonce", "the device's random number generator does not work", hint))

    def finish(self, interruption: str | None) -> dict[str, Any]:
        """Tells the reporters, writes the summary and closes the folder. Raises SessionError."""
        wall_s = time.monotonic() - self.began_s
        data = RunData(
            self.records,
            self.attempts.layer_cycles,
            [*self.bus.issues, *self.faults.missed()],
            wall_s,
            interruption,
            self.faults.summary(self.records, self.options.deadline_ms),
            tuple(self.attempts.checks),
            self.nonce_source,
            self.device.seconds,
        )
        facts = replace(self.facts, provenance=self.facts.provenance | board_provenance(self.board))
        summary = build_summary(facts, data)
        with interrupts.shield():
            self._close(summary, interruption is not None)
        return summary

    def _close(self, summary: dict[str, Any], partial: bool) -> None:
        try:
            try:
                self.bus.emit(RunFinished(summary, partial))
                keep_logs(self.folder, self.board, self.server)
                self._draw(summary)
            finally:
                self.folder.close(summary)
        finally:
            self.bus.close()

    def _draw(self, summary: Mapping[str, Any]) -> None:
        picture = self.timeline(summary, self.records) if self.timeline else None
        if picture is not None:
            self.folder.write_bytes("timeline.svg", picture.encode())

    @contextlib.contextmanager
    def _stage(self, stage: str, detail: str = "") -> Iterator[None]:
        began_s = time.monotonic()
        self.bus.emit(StageStarted(stage, detail))
        yield
        self.bus.emit(StageFinished(stage, time.monotonic() - began_s))

    def _handshake(self, running: RunningBoard) -> Handshake:
        payload = self.deployment.manifest.payload
        early = early_bytes(self.radio, payload) if self.options.overlap else 0
        return Handshake(
            self.board.info, self.deployment, self.options.deadline_us, running.check, early, self._nonce
        )

    def _nonce(self, device_nonce: bytes) -> bytes:
        return self.relay.begin(device_nonce, self.options.request_timeout_s)

    def _announce(self) -> None:
        manifest = self.deployment.manifest
        self.bus.emit(
            RunStarted(
                name=self.folder.path.name,
                folder=self.folder.path,
                scheme=manifest.scheme,
                dataset=manifest.dataset,
                board=self.board.info.name,
                radio=self.radio.name,
                samples=self.options.n,
                classes=manifest.classes,
                payload_raw_bytes=manifest.payload.raw_bytes if manifest.payload else 0,
                memory=memory_use(self.deployment.footprint, self.board.info),
                sources=self.facts.sources,
            )
        )
        if self.server is None and manifest.payload is not None:
            self.bus.warn_once("no-server", "this run has no server half", "no payload is answered")
        if self.energy is None:
            hint = "valid: 25 to 216 MHz, and a radio with tx, rx and idle currents"
            self.bus.warn_once("no-energy", "no energy model covers this clock and radio", hint)

    def _place(self, index: int, sample: int) -> Place:
        predictions = self.samples.float_predictions
        predicted = None if predictions is None else int(predictions[sample])
        return Place(index, sample, int(self.samples.split.labels[sample]), predicted)

    def _sample(self, place: Place) -> None:
        """Runs one sample to its record, whatever happens to it."""
        graph = self.deployment.graph
        tensor = graph.tensor(graph.input)
        data = self.samples.device_input(place.sample, self.deployment.manifest.input, tensor)
        record = self.attempts.sample(place, data, self.faults.input)
        with interrupts.shield():  # a sample is in the summary and in every file, or in none
            self.records.append(record)
            self.bus.emit(SampleFinished(record))
        if record.outcome == "failed" and not self.options.keep_going:
            raise SessionError(f"sample {place.index} failed: {record.reason}", "use keep_going to go on")
