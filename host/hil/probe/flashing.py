"""Brings an image into flash by writing only the sectors that differ from it.

What is there is read, never assumed, so a flash that lost power half-way is put right by the next
call. Everything is programmed from the end to the beginning: an image that is not whole lacks its
vector table and does not start, unless power was lost in its very last page.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from hil.errors import BoardError
from hil.probe.debugger import Debugger, Sector
from hil.twin.image import Segment

ERASED = 0xFF


@dataclass(frozen=True)
class Flashed:
    """What flashing cost, in bytes of the image, and in sectors."""

    bytes_written: int
    bytes_kept: int
    sectors_erased: int


@dataclass(frozen=True)
class Piece:
    """The part of the image that lies in one sector."""

    sector: Sector
    offset: int
    """Of `data`, from the start of the sector."""
    data: bytes
    """Gaps between segments are erased bytes."""

    @property
    def address(self) -> int:
        return self.sector.address + self.offset


def pieces(segments: Iterable[Segment], sectors: Sequence[Sector]) -> list[Piece]:
    """The image cut at the borders of `sectors`, ascending. Raises BoardError for bytes outside them."""
    stored = sorted((segment for segment in segments if segment.data), key=lambda part: part.load_address)
    for segment in stored:
        _check_place(segment, sectors)
    found = []
    for sector in sectors:
        parts = [part for segment in stored if (part := _clip(segment, sector))]
        if parts:
            first, last = parts[0][0], max(at + len(data) for at, data in parts)
            content = bytearray([ERASED]) * (last - first)
            for at, data in parts:
                content[at - first : at - first + len(data)] = data
            found.append(Piece(sector, first - sector.address, bytes(content)))
    return found


def _check_place(segment: Segment, sectors: Sequence[Sector]) -> None:
    first, end = segment.load_address, segment.load_address + len(segment.data)
    if not sectors or first < sectors[0].address or end > sectors[-1].end:
        raise BoardError(
            f"the image has bytes at {first:#010x} to {end:#010x}, outside the flash",
            "link it for flash at 0x08000000, as `hil build` does",
        )


def _clip(segment: Segment, sector: Sector) -> tuple[int, bytes] | None:
    """The address and bytes of `segment` inside `sector`."""
    first = max(segment.load_address, sector.address)
    end = min(segment.load_address + len(segment.data), sector.end)
    if first >= end:
        return None
    return first, segment.data[first - segment.load_address : end - segment.load_address]


def flash(debugger: Debugger, segments: Iterable[Segment]) -> Flashed:
    """Makes flash hold `segments`; other bytes of a sector that has to be erased are lost.

    Raises BoardError when the image does not fit, and when flash does not hold it afterwards.
    """
    wanted = pieces(segments, debugger.sectors)
    differing = [piece for piece in wanted if _differs(debugger, piece)]
    for piece in differing:
        debugger.erase(piece.sector)
    for piece in reversed(differing):
        debugger.program(piece.address, piece.data)
    if differing:
        _verify(debugger, wanted)
    written = sum(len(piece.data) for piece in differing)
    return Flashed(written, sum(len(piece.data) for piece in wanted) - written, len(differing))


def _differs(debugger: Debugger, piece: Piece) -> bool:
    return debugger.read(piece.address, len(piece.data)) != piece.data


def _verify(debugger: Debugger, wanted: Sequence[Piece]) -> None:
    for piece in wanted:
        found = debugger.read(piece.address, len(piece.data))
        if found != piece.data:
            at = next(place for place, byte in enumerate(piece.data) if found[place] != byte)
            raise BoardError(
                f"flash has {found[at]:#04x} at {piece.address + at:#010x} instead of {piece.data[at]:#04x}",
                "run it again; if it stays, the sector is worn out or write-protected",
            )
