"""What the user asked for: a codec by name, the cheapest one, or the bundle's own."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from hil.codec.coder import CODECS
from hil.errors import UsageError, unknown_name
from hil.link.parse import parse_radio
from hil.link.radio import Radio

AUTO = "auto"


class Aim(StrEnum):
    """What an automatic choice minimises."""

    LATENCY = "latency"
    ENERGY = "energy"


@dataclass(frozen=True)
class CodecRequest:
    """Checked when made: raises UsageError."""

    codec: str | None = None
    """A name, AUTO, or None: the bundle's own."""
    aim: str = Aim.LATENCY
    radio: str = "wifi-6m"
    """Over which AUTO chooses."""

    def __post_init__(self) -> None:
        if self.codec not in (None, AUTO, *CODECS):
            raise unknown_name("codec", str(self.codec), (AUTO, *CODECS))
        if self.aim not in tuple(Aim):
            raise unknown_name("aim", self.aim, [aim.value for aim in Aim])
        if self.codec != AUTO and self.aim != Aim.LATENCY:
            raise UsageError("--codec-for says what --codec auto chooses by", "add --codec auto")

        parse_radio(self.radio)

    @property
    def parsed_radio(self) -> Radio:
        return parse_radio(self.radio)
