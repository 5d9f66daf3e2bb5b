"""Everything around the fake device: board, server half, deployment, samples, reporter."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import numpy as np
from hil_tests.unit.session.fake_channel import Noise, VirtualWire
from hil_tests.unit.session.fake_device import CLASSES, CLOCK_HZ, FakeDevice, Mishaps, Model
from numpy.typing import NDArray

from hil.boards.protocol import BoardInfo
from hil.bundle import InputFormat, Manifest, PayloadFormat
from hil.data.dataset import Split
from hil.deploy.deployment import Deployment, Footprint, KernelChoice, Layer, Reference
from hil.deploy.graph import Graph, Tensor
from hil.deploy.plan import Buffer, plan
from hil.errors import ServerError
from hil.measure.power.conditions import Usage
from hil.measure.source import Source
from hil.server.answer import Answer, Status
from hil.session.events import Event, RunFinished, SampleFinished, SampleRecord, Warned
from hil.session.options import RunOptions
from hil.session.run import Picture, RunResult, run_session
from hil.session.samples import Samples

INFO = BoardInfo(
    name="fake", summary="a device in Python", config="none", flash_bytes=1 << 20, ram_bytes=320 << 10,
    virtual_time=True, time_source=Source.TWIN_CYCLES, run_baud=921_600,
)  # fmt: skip


class FakeRunning:
    def __init__(self, wire: VirtualWire) -> None:
        self.channel = wire
        self.stopped = False

    def check(self) -> None:
        return

    def instructions(self) -> int | None:
        return None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.stopped = True


class FakeMetered(FakeRunning):
    """A board that counts: `counted(how often it was asked)`."""

    def __init__(self, wire: VirtualWire, counted: Callable[[int], Usage]) -> None:
        super().__init__(wire)
        self._counted = counted
        self.asked = 0

    def usage(self) -> Usage:
        self.asked += 1
        return self._counted(self.asked)


@dataclass
class FakeBoard:
    model: Model = field(default_factory=Model)
    mishaps: Mishaps = field(default_factory=Mishaps)
    noise: Noise = lambda direction, data: data
    info: BoardInfo = INFO
    usage: Callable[[int], Usage] | None = None
    started: list[FakeRunning] = field(default_factory=list)

    def start(self, image: Path) -> FakeRunning:
        wire = VirtualWire(noise=self.noise)
        FakeDevice(wire, self.model, self.mishaps)
        self.started.append(FakeMetered(wire, self.usage) if self.usage else FakeRunning(wire))
        return self.started[-1]


def fixed_logits(payload: bytes) -> tuple[int, ...]:
    """What the fake server half answers."""
    return tuple((payload[place] - 100) * 3 for place in range(CLASSES))


@dataclass
class FakeServer:
    """A server half in process: `answer(request number, payload)`, 2 ms each unless told otherwise.

    Asked about a payload's first bytes it answers `prefix(payload)`.
    """

    answer: Callable[[int, bytes], Answer] = lambda number, payload: Answer(
        Status.OK, fixed_logits(payload), server_us=2000
    )
    prefix: Callable[[bytes], Answer] = lambda payload: Answer(
        Status.CORRUPT, detail="the bundle is not progressive"
    )
    asked: list[tuple[int, bool]] = field(default_factory=list)
    """How many bytes, and whether they were said to be the first ones only."""
    dies_at: int | None = None
    """From this request on nobody is there."""
    requests: int = 0
    connections: int = 0

    def connect(self, bundle_hash: bytes, timeout_s: float) -> FakeServer:
        if self._dead:
            raise ServerError("nobody listens")
        self.connections += 1
        return self

    @property
    def _dead(self) -> bool:
        return self.dies_at is not None and self.requests >= self.dies_at

    def infer(self, payload: bytes, timeout_s: float, *, prefix: bool = False) -> Answer:
        if self._dead:
            raise ServerError("it closed the connection")
        self.requests += 1
        self.asked.append((len(payload), prefix))
        if prefix:
            return self.prefix(payload)
        return self.answer(self.requests - 1, payload)

    def close(self) -> None:
        return

    def log(self) -> bytes:
        return b"the fake server's log\n"


@dataclass
class Recorder:
    """A reporter that remembers."""

    events: list[Event] = field(default_factory=list)
    closed: int = 0

    def handle(self, event: Event) -> None:
        self.events.append(event)

    def close(self) -> None:
        self.closed += 1

    def of(self, kind: type) -> list[Any]:
        return [event for event in self.events if isinstance(event, kind)]

    @property
    def records(self) -> list[SampleRecord]:
        return [event.record for event in self.of(SampleFinished)]

    @property
    def warnings(self) -> list[str]:
        return [event.code for event in self.of(Warned)]

    @property
    def summary(self) -> dict[str, Any]:
        return self.of(RunFinished)[-1].summary


def deployment(folder: Path, model: Model, clock_hz: int = CLOCK_HZ, progressive: bool = False) -> Deployment:
    """A deployment whose firmware is a FakeDevice with `model`."""
    elf = folder / "firmware.elf"
    elf.write_bytes(b"\x7fELF of nothing")
    side = int(model.input_bytes**0.5)
    payload = None
    if model.payload_bytes:
        payload = PayloadFormat(1, 3, 4, 8, (0.0, 1.0, 2.0, 3.0), "none", progressive=progressive)
    tensor = Tensor("x", (side, side, 1), 1 / 127, 0)
    return Deployment(
        folder=folder, elf=elf, bundle=folder / "bundle.safetensors", bundle_hash=model.bundle_hash,
        manifest=Manifest(
            "agilenn", "digits", CLASSES, 0, InputFormat(side, side, 1, 1, (0.0,), (1.0,)), payload, 0.5, {},
        ),
        board="fake", clock_hz=clock_hz, graph=Graph({"x": tensor}, (), "x", None, None), symbol_of=None,
        kernels=KernelChoice.TUNED,
        fusion=model.fusion, exit=None, codec_tables={},
        layers=tuple(Layer(f"layer{n}", "conv", 100) for n in range(model.layers)),
        memory=plan((Buffer("x", model.input_bytes, 0, 0),)),
        footprint=Footprint(100_000, 2_000, 50_000, 4_096),
    )  # fmt: skip


def samples(model: Model, count: int = 50) -> Samples:
    """Random images, and a float model that is always right."""
    draws = np.random.default_rng(5)
    side = int(model.input_bytes**0.5)
    images = draws.random((count, side, side, 1), np.float32)
    labels = draws.integers(0, CLASSES, count)
    return Samples(Split(images, labels), labels)


def oracle(model: Model) -> Callable[[NDArray[np.int8]], Reference]:
    def reference(data: NDArray[np.int8]) -> Reference:
        content = data.tobytes()
        local, payload = np.array(model.local(content), np.int8), model.payload(content)
        return Reference(local, None, payload, stays=not payload)

    return reference


def run_fake(
    tmp_path: Path,
    board: FakeBoard | None = None,
    server: FakeServer | None = None,
    reporters: tuple[Any, ...] = (),
    progressive: bool = False,
    timeline: Picture | None = None,
    command: tuple[str, ...] = ("hil", "run"),
    **settings: Any,
) -> RunResult:
    """A run of 6 samples on a fake board, with what a test wants different."""
    board = board or FakeBoard()
    options = RunOptions(
        **{"n": 6, "out": tmp_path / "runs", "name": "test", "deadline_ms": 200.0, **settings}
    )
    return run_session(
        deployment(tmp_path, board.model, progressive=progressive), board, samples(board.model),
        options=options, oracle=oracle(board.model), server=server or FakeServer(), reporters=reporters,
        command=command, timeline=timeline,
    )  # fmt: skip
