"""How much a service takes on, and how long it waits for whom."""

from __future__ import annotations

from dataclasses import dataclass

from hil.errors import UsageError


@dataclass(frozen=True)
class Limits:
    """Bounds of a service; with them its memory is bounded too, whatever clients do.

    Raises UsageError on a bound that would answer nobody.
    """

    queue_max: int = 1024
    """Requests waiting, of all sessions; beyond it they are answered BUSY."""
    session_max: int = 32
    """Requests of one session under way; beyond it they are answered BUSY."""
    batch_max: int = 32
    delay_ms: float = 2.0
    """How long inference may stand still for the sake of a larger batch; 0: takes only what is there."""
    connections_max: int = 2048
    hello_s: float = 5.0
    """A client that has not said who it is by then is dropped."""
    frame_s: float = 10.0
    """So long may one message take from its first byte to its last."""
    idle_s: float = 900.0
    """A session without a message and without a request under way is closed after so long; 0: never."""
    write_s: float = 10.0
    """A client that does not read its answers is dropped after so long."""
    drain_s: float = 3.0
    """How long a stopping service goes on answering what it has already taken."""
    write_buffer: int = 256 * 1024
    """Bytes of answers to one client from which on nothing more is read of it."""

    def __post_init__(self) -> None:
        for name in ("queue_max", "session_max", "batch_max", "connections_max"):
            if getattr(self, name) < 1:
                raise UsageError(f"{name} is {getattr(self, name)}", "it has to be 1 at least")
        if not 0 <= self.delay_ms <= 1000:
            raise UsageError(f"a batch is gathered for {self.delay_ms:g} ms", "valid: 0 to 1000 milliseconds")
