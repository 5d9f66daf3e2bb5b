"""From a bundle and a wish to the bundle that is built and served."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from hil import bundle as bundles
from hil.deploy.codecs.choose import Cost, choose, costs, measure
from hil.deploy.codecs.recode import recode
from hil.deploy.codecs.request import AUTO, Aim, CodecRequest


@dataclass(frozen=True)
class Packed:
    """What a request came to."""

    bundle: Path
    """The bundle with its codec: to build, and to serve."""
    candidates: tuple[Cost, ...] = ()
    """What AUTO chose from, else nothing."""
    chosen: Cost | None = None


def pack(bundle: Path, request: CodecRequest, clock_hz: int) -> Packed:
    """`bundle` as `request` wants it. Raises as `recode`, `measure` and `choose` do."""
    if request.codec is None:
        return Packed(bundle)
    if request.codec != AUTO:
        return Packed(recode(bundle, request.codec))
    if bundles.read_manifest(bundle).payload is None:
        return Packed(bundle)
    candidates = costs(measure(bundle), request.parsed_radio, clock_hz)
    chosen = choose(candidates, Aim(request.aim))
    return Packed(recode(bundle, chosen.measured.codec), candidates, chosen)
