"""Which codec costs least from the first symbol encoded to the last bit sent, over one radio.

Cycles are the twin's, of a few calibration payloads; bytes are the mean of more of them. Latency is
encoding and an undisturbed uplink, energy what the power model says of both: what follows is the same
for all codecs. Tables come from calibration images too, so bytes are a little less than on others.
"""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hil import bundle as bundles
from hil import paths
from hil.codec.coder import CODECS, make_coder
from hil.deploy.build import source_hash
from hil.deploy.codecs import bench
from hil.deploy.codecs.recode import format_for, recoded
from hil.deploy.codecs.request import Aim
from hil.deploy.codecs.symbols import calibration_symbols
from hil.deploy.package import make_graph
from hil.deploy.toolchain import find_compiler
from hil.durable import write_whole
from hil.errors import UsageError
from hil.link.radio import Radio
from hil.measure.energy import Activity, energy_model

TIMED, WEIGHED = 4, 32
"""Payloads whose cycles and whose bytes are counted."""

_ROOMS = ("codec", "deploy", "twin/timing", "wire")


@dataclass(frozen=True)
class Measured:
    """One codec on a bundle's own payloads."""

    codec: str
    order: str
    cycles: int
    payload_bytes: float
    """Mean."""
    payload_bytes_max: int
    """What the payload's buffer holds."""
    scratch_bytes: int
    table_bytes: int


@dataclass(frozen=True)
class Cost:
    """The same over a radio at a clock."""

    measured: Measured
    latency_ms: float
    energy_mj: float | None
    """None where nothing models the clock or the radio."""


def measure(path: Path) -> tuple[Measured, ...]:
    """Every codec that the bundle at `path` can have, from the cache or measured now.

    Raises BundleError, ToolchainError or BuildError.
    """
    kept = paths.cache_dir() / "codecs" / f"{_key(path)}.json"
    try:
        return tuple(Measured(**values) for values in json.loads(kept.read_text()))
    except (OSError, ValueError, TypeError):
        found = tuple(_measure(path))
    kept.parent.mkdir(parents=True, exist_ok=True)
    write_whole(kept, (json.dumps([asdict(one) for one in found]) + "\n").encode())
    return found


def costs(measured: tuple[Measured, ...], radio: Radio, clock_hz: int) -> tuple[Cost, ...]:
    """In the same order."""
    model = energy_model(clock_hz, radio)
    found = []
    for one in measured:
        encode_s, size = one.cycles / clock_hz, round(one.payload_bytes)
        sizes = [] if radio.instant else radio.packet_sizes(size)
        airtime_s = 8 * sum(sizes) / radio.bandwidth_bps
        wait_s = 0.0 if radio.instant else radio.latency_s + airtime_s
        activity = Activity({"encode": encode_s}, wait_s, airtime_s, tx_packets=len(sizes))
        energy = model.energy(activity) if model else None
        found.append(Cost(one, 1000 * (encode_s + wait_s), energy.parts.total if energy else None))
    return tuple(found)


def choose(candidates: tuple[Cost, ...], aim: Aim) -> Cost:
    """The least by `aim`; of equal ones that with fewer bytes. Raises UsageError where nothing models it."""
    if aim is Aim.ENERGY and any(one.energy_mj is None for one in candidates):
        raise UsageError(
            "no energy model covers this clock and radio",
            "take --codec-for latency, or a radio with tx, rx and idle currents",
        )
    return min(candidates, key=lambda one: (_by(one, aim), one.measured.payload_bytes))


def _by(cost: Cost, aim: Aim) -> float:
    value = cost.latency_ms if aim is Aim.LATENCY else cost.energy_mj
    assert value is not None
    return value


def _measure(path: Path) -> Iterator[Measured]:
    bundle = bundles.load(path)
    payload = bundle.manifest.payload
    if payload is None:
        raise UsageError(f"scheme {bundle.manifest.scheme!r} sends nothing to pack", "leave --codec out")
    symbols = calibration_symbols(bundle, make_graph(bundle))
    timed, weighed = _spread(symbols, TIMED), _spread(symbols, WEIGHED)
    with tempfile.TemporaryDirectory() as folder:
        twin = bench.twin_of(bench.build(Path(folder)))
        for codec in CODECS:
            try:
                made = recoded(bundle, format_for(payload, codec), lambda: symbols)
            except UsageError:
                continue  # this payload is none for the codec
            assert made.manifest.payload is not None
            coder = make_coder(made.manifest.payload, made.part("codec"))
            if not bench.fits(coder):
                continue
            yield Measured(
                codec=codec,
                order=coder.form.order,
                cycles=round(bench.encode_cycles(twin, coder, timed)),
                payload_bytes=float(np.mean([len(coder.encode(one)) for one in weighed])),
                payload_bytes_max=coder.capacity,
                scratch_bytes=coder.scratch_bytes,
                table_bytes=0 if coder.table is None else coder.table.nbytes,
            )
        twin.close()


def _spread(symbols: NDArray[np.uint8], count: int) -> list[NDArray[np.uint8]]:
    """`count` of them at most, evenly."""
    return list(symbols[:: -(-len(symbols) // count)])


def _key(path: Path) -> str:
    rooms = (paths.PACKAGE / room for room in _ROOMS)
    parts = (bundles.digest(path).hex(), source_hash(paths.MCU / "codec", *rooms), find_compiler().version)
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:20]
