"""What every layer takes on plain CMSIS-NN, and on the kernels that the tuner chooses."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hil import bundle as bundles
from hil.bench import networks
from hil.deploy.build import Toolchain
from hil.deploy.cost import macs
from hil.deploy.lower import plain
from hil.deploy.package import make_graph, make_half, sample_input
from hil.deploy.program import DeviceHalf, Program, Sends, Step, step_title
from hil.deploy.tune.code_place import to_itcm
from hil.deploy.tune.expected import random_sample
from hil.deploy.tune.tuner import Tuned, place, tune
from hil.errors import BundleError, unknown_name
from hil.measure.source import Source
from hil.zoo import shelf

SHIPPED = "agilenn-cifar10"


@dataclass(frozen=True)
class Subject:
    """A device half to be measured, and an input for it; None: random."""

    half: DeviceHalf
    sample: NDArray[np.int8] | None = None


@dataclass(frozen=True)
class KernelRow:
    """A step of the tuned program, and the same ops on CMSIS-NN."""

    step: str
    kernel: str
    macs: int
    plain_cycles: int
    cycles: int

    @property
    def ratio(self) -> float:
        """How many times as fast."""
        return self.plain_cycles / self.cycles


@dataclass(frozen=True)
class NetworkKernels:
    """One network, all on one toolchain, by the twin's cycle model at 216 MHz, caches on."""

    network: str
    rows: tuple[KernelRow, ...]
    compiler: str
    source: str = str(Source.TWIN_CYCLES)

    @property
    def total(self) -> KernelRow:
        """All rows."""
        sums = (sum(getattr(row, name) for row in self.rows) for name in ("macs", "plain_cycles", "cycles"))
        return KernelRow("all", "", *sums)


def of_bundle(path: Path) -> Subject:
    """The device half of a bundle, on its first calibration image."""
    bundle = bundles.load(path)
    graph = make_graph(bundle)
    if not graph.ops:
        raise BundleError(f"the device half of {path.name} has no layers", "take another scheme")
    return Subject(make_half(bundle, graph), sample_input(bundle, graph))


NETWORKS: Mapping[str, Callable[[], Subject]] = {
    SHIPPED: lambda: of_bundle(shelf.FOLDER / f"{SHIPPED}.safetensors"),
    "resnet8": lambda: Subject(DeviceHalf(networks.resnet8())),
    "mobilenet_v2_035": lambda: Subject(DeviceHalf(networks.mobilenet_v2_035())),
}
"""By name."""


def subject(name: str) -> Subject:
    """The network called `name`. Raises UsageError."""
    if name not in NETWORKS:
        raise unknown_name("network", name, NETWORKS)
    return NETWORKS[name]()


def compare(name: str, what: Subject, toolchain: Toolchain) -> NetworkKernels:
    """Times all candidates of `what`, or takes what was measured before. Raises what `tune` raises."""
    sample = random_sample(what.half) if what.sample is None else what.sample
    tuned = tune(what.half, toolchain, sample)
    program = tuned.program()
    in_itcm = {one.index: one.cycles for one in to_itcm(tuned, program, toolchain, sample)}
    rows = [_row(tuned, program, step, in_itcm.get(at)) for at, step in enumerate(program.steps)]
    return NetworkKernels(name, (*rows, *_tail(tuned, program)), toolchain.compiler.version)


def _row(tuned: Tuned, program: Program, step: Step, in_itcm: int | None) -> KernelRow:
    count = sum(macs(tuned.half.graph, op) for op in program.ops(step))
    replaced = plain(tuned.half).steps[step.first : step.end]
    before = sum(_cycles(tuned, one) for one in replaced)
    name = step_title(program, step)
    if tuned.tail and program.sends is not Sends.NOTHING and step is program.sender:
        # Quantiser, and encoder, are on both sides of the comparison.
        before += tuned.tail.after(Sends.NOTHING) - tuned.tail.after(program.sends)
        name += " … quantise" if program.sends is Sends.SYMBOLS else " … encode"
    kernel = step.kernel.name if in_itcm is None else f"{step.kernel.name}, in ITCM"
    return KernelRow(name, kernel, count, before, _cycles(tuned, step) if in_itcm is None else in_itcm)


def _tail(tuned: Tuned, program: Program) -> list[KernelRow]:
    """What the firmware does after both programs."""
    if tuned.tail is None or tuned.half.coder is None:
        return []
    rows = []
    if program.sends is Sends.NOTHING:
        cycles = tuned.tail.quantise_cycles
        rows.append(KernelRow("quantise", "hil_quantise", 0, cycles, cycles))
    if program.sends is not Sends.PAYLOAD:
        encoder, cycles = f"hil_encode_{tuned.half.coder.wire.name.lower()}", tuned.tail.encode_cycles
        rows.append(KernelRow("encode", encoder, 0, cycles, cycles))
    return rows


def _cycles(tuned: Tuned, step: Step) -> int:
    found = tuned.found.get(place(step))
    if found is None:
        raise BundleError("a layer does not fit in SRAM by itself", "take a smaller network")
    return found.cycles


def as_values(result: NetworkKernels) -> dict[str, Any]:
    """For JSON."""
    return {
        "network": result.network,
        "source": result.source,
        "clock_hz": 216_000_000,
        "compiler": result.compiler,
        "rows": [_values(row) for row in result.rows],
        "total": _values(result.total),
    }


def _values(row: KernelRow) -> dict[str, Any]:
    rates = {"plain_macs_per_cycle": row.plain_cycles, "macs_per_cycle": row.cycles}
    of_macs = {name: row.macs / cycles if row.macs else None for name, cycles in rates.items()}
    return {**asdict(row), **of_macs, "ratio": row.ratio}
