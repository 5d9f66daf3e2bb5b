"""What a service asks of a server half."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from hil.server.answer import Request


@dataclass(frozen=True)
class Decoded:
    """What inference takes of one payload."""

    values: NDArray[np.float32] | None
    """The network's input for one sample; None where no channel is complete."""
    channels: int
    """How many are complete."""


class Remote(Protocol):
    """A server half. Both ways in may be called by two threads at a time."""

    @property
    def payload_max(self) -> int:
        """Bytes that a payload can have at most."""
        ...

    def decode_request(self, request: Request) -> Decoded:
        """Raises CodecError for a corrupt payload."""
        ...

    def logits(self, values: list[NDArray[np.float32]]) -> NDArray[np.int16]:
        """(N, classes) with 8 fraction bits, of N decoded payloads in one batch."""
        ...

    def warm_up(self) -> None:
        """One inference, so that the first sample does not pay for set-up."""
        ...
