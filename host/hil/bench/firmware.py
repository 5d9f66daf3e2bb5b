"""A bundle's firmware on the twin, on plain CMSIS-NN and on tuned kernels, with the same build flags."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from hil import bundle as bundles
from hil.boards.options import DEFAULT_CLOCK_HZ
from hil.boards.twin import TwinBoard
from hil.data.dataset import Split
from hil.deploy import package
from hil.deploy.deployment import Deployment, KernelChoice
from hil.deploy.footprint import symbol_sizes
from hil.deploy.reference import Oracle
from hil.errors import BundleError
from hil.measure.source import Source
from hil.session.events import SampleRecord
from hil.session.options import RunOptions
from hil.session.run import run_session
from hil.session.samples import Samples

STAGES = ("graph", "quantise", "encode")
"""What the device half computes; framing, waiting and fusing are the same with any kernels."""

_DEADLINE_MS = 1.0
"""Nobody answers: the device half is all that is looked at."""

Progress = Callable[[str, int, int], None]
"""What is being done, how much of it is done, and how much there is."""


@dataclass(frozen=True)
class FirmwareRow:
    """One firmware. Cycles, energy and payload are means over `samples` inferences on warm caches."""

    scheme: str
    dataset: str
    codec: str | None
    kernels: str
    samples: int
    graph_cycles: float
    quantise_cycles: float
    encode_cycles: float
    energy_mj: float | None
    """Of the core in these stages, by the power model."""
    payload_bytes: float | None
    flash_bytes: int
    constant_bytes: int
    """Of the flash: weights, ratios and tables that the generated code holds."""
    ram_static_bytes: int
    arena_bytes: int
    stack_bytes: int
    """Reserved."""
    stack_peak_bytes: int
    itcm_bytes: int
    """Code in ITCM RAM."""
    agreement: float
    """Share of inferences that equal the host's, bit for bit."""
    source: str = str(Source.TWIN_CYCLES)

    @property
    def cycles(self) -> float:
        """All stages."""
        return self.graph_cycles + self.quantise_cycles + self.encode_cycles

    @property
    def milliseconds(self) -> float:
        """At 216 MHz."""
        return 1e3 * self.cycles / DEFAULT_CLOCK_HZ

    @property
    def program_bytes(self) -> int:
        """Flash without weights."""
        return self.flash_bytes - self.constant_bytes

    @property
    def data_bytes(self) -> int:
        """RAM without the code in ITCM."""
        return self.ram_static_bytes + self.arena_bytes + self.stack_bytes

    @property
    def ram_bytes(self) -> int:
        """In all, ITCM included."""
        return self.data_bytes + self.itcm_bytes


def measure(
    path: Path,
    samples: int,
    progress: Progress = lambda what, done, total: None,
    recoded: Path | None = None,
) -> list[FirmwareRow]:
    """The rows of the bundle at `path`: plain, then tuned.

    With `recoded`, the same bundle packing its payload in another way, plain kernels with the bundle's
    own way come first, and then both kinds with the other. Runs `samples` of the calibration images after
    one that warms the caches. Raises BundleError where there are none, and whatever a build or a run
    raises.
    """
    bundle = bundles.load(path)
    images = bundle.tensors.get("record.calibration")
    if images is None or not len(images):
        raise BundleError(f"{path.name} holds no calibration samples", "train it again")
    taken = np.resize(np.arange(len(images)), samples + 1)
    split = Split(images[taken], np.zeros(samples + 1, np.int64))
    last = recoded or path
    variants = [(last, KernelChoice.PLAIN), (last, KernelChoice.TUNED)]
    if recoded is not None and bundles.digest(recoded) != bundles.digest(path):
        variants.insert(0, (path, KernelChoice.PLAIN))
    rows = []
    for done, (file, choice) in enumerate(variants):
        progress(f"{bundle.manifest.scheme}, firmware", done, len(variants))
        board = TwinBoard()
        deployment = package.deploy(file, board.info, DEFAULT_CLOCK_HZ, kernels=choice)
        rows.append(_run(deployment, board, split))
    progress(f"{bundle.manifest.scheme}, firmware", len(variants), len(variants))
    return rows


def _run(deployment: Deployment, board: TwinBoard, split: Split) -> FirmwareRow:
    with tempfile.TemporaryDirectory() as folder:
        options = RunOptions(
            n=len(split), radio="none", deadline_ms=_DEADLINE_MS, out=Path(folder), transcript=False
        )
        result = run_session(deployment, board, Samples(split), options=options, oracle=Oracle(deployment))
    failed = [record for record in result.records if record.cycles is None]
    if failed:
        raise BundleError(f"a sample failed on the twin: {failed[0].reason}", "report it")
    return _row(deployment, result.records[1:])


def _row(deployment: Deployment, records: Sequence[SampleRecord]) -> FirmwareRow:
    manifest, footprint = deployment.manifest, deployment.footprint
    cycles = {stage: _mean([getattr(record.cycles, stage) for record in records]) for stage in STAGES}
    spent = [record.energy_detail.by_stage for record in records if record.energy_detail]
    sent = [record.payload_bytes for record in records if record.payload_bytes]
    return FirmwareRow(
        scheme=manifest.scheme,
        dataset=manifest.dataset,
        codec=manifest.payload.codec if manifest.payload else None,
        kernels=str(deployment.kernels),
        samples=len(records),
        graph_cycles=cycles["graph"],
        quantise_cycles=cycles["quantise"],
        encode_cycles=cycles["encode"],
        energy_mj=_energy(spent),
        payload_bytes=_mean(sent) if sent else None,
        flash_bytes=footprint.flash_bytes,
        constant_bytes=constant_bytes(deployment.elf),
        ram_static_bytes=footprint.ram_static_bytes,
        arena_bytes=footprint.arena_bytes,
        stack_bytes=footprint.stack_bytes,
        stack_peak_bytes=max(record.stack_peak_bytes for record in records),
        itcm_bytes=footprint.itcm_bytes,
        agreement=_mean([bool(record.agrees) for record in records]),
    )


def _energy(stages: Sequence[dict[str, float]]) -> float | None:
    if not stages:
        return None
    return _mean([sum(one[name] for name in one if name in STAGES) for one in stages])


def _mean(values: Sequence[float]) -> float:
    return float(np.mean(values))


def constant_bytes(elf: Path) -> int:
    """Constants of the generated layers, by their names: `layer<i>_…`. Raises BuildError."""
    return sum(size for name, size in symbol_sizes(elf, "STT_OBJECT") if re.match(r"layer\d+_", name))


def ratios(first: FirmwareRow, last: FirmwareRow) -> dict[str, float | None]:
    """The first over the last: how many times less that takes.

    Stages have none of their own: tuned graphs may quantise and encode on their way.
    """
    names = (
        "cycles", "milliseconds", "energy_mj",
        "flash_bytes", "program_bytes", "ram_bytes", "data_bytes", "arena_bytes", "payload_bytes",
    )  # fmt: skip
    return {name: _ratio(getattr(first, name), getattr(last, name)) for name in names}


def _ratio(one: float | None, other: float | None) -> float | None:
    return one / other if one is not None and other else None


def as_values(row: FirmwareRow) -> dict[str, Any]:
    """For JSON."""
    derived = ("cycles", "milliseconds", "program_bytes", "ram_bytes", "data_bytes")
    return asdict(row) | {name: getattr(row, name) for name in derived}
