"""What a session needs of a server half: connect, ask, be told how long it took."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Protocol, runtime_checkable


class Status(IntEnum):
    """How a request ended."""

    OK = 0
    BUSY = 1
    """The queue is full, or too many requests of this session are under way; ask again later."""
    CORRUPT = 2
    """The payload cannot be decoded."""
    FAILED = 3
    """The server half raised an error."""
    EMPTY = 4
    """No channel is complete in a payload's first bytes, so there is nothing to answer from."""
    DRAINING = 5
    """The server is stopping and takes no more requests."""


@dataclass(frozen=True)
class Stamp:
    """Which exchange of a device an answer is for; its tag fits no other."""

    counter: int
    sample: int


@dataclass(frozen=True)
class Request:
    """What a server half is asked."""

    payload: bytes
    prefix: bool = False
    """The payload's first bytes only: the answer rests on the channels that are complete in them."""
    stamp: Stamp | None = None
    """None: the device takes replies without a tag."""


@dataclass(frozen=True)
class Answer:
    """The reply to one request."""

    status: Status
    logits: tuple[int, ...] = ()
    """int16 with 8 fraction bits, one per class; empty unless `status` is OK."""
    server_us: int = 0
    """Decoding and inference, on the server's monotonic clock."""
    queue_us: int = 0
    """Waiting for earlier requests, not part of `server_us`."""
    detail: str = ""
    channels: int = 0
    """Channels of the payload that the logits rest on; 0 unless `status` is OK."""
    tag: bytes = b""
    """Of the reply to the device, where the request had a stamp."""


class Connection(Protocol):
    """An open conversation with a server half."""

    def infer(self, payload: bytes, timeout_s: float, *, prefix: bool = False) -> Answer:
        """The answer to `payload`, or to the `prefix` of one.

        Raises ServerError when none came within `timeout_s`.
        """
        ...

    def close(self) -> None: ...


@runtime_checkable
class KeyedConnection(Connection, Protocol):
    """A connection to a server half that can make its replies authentic."""

    def begin(self, device_nonce: bytes, server_nonce: bytes, timeout_s: float) -> bytes:
        """Begins the device's session, with a nonce of the server's unless one is given; returns that.

        Raises ServerError, also when the server has no key of this device.
        """
        ...

    def infer(
        self, payload: bytes, timeout_s: float, *, prefix: bool = False, stamp: Stamp | None = None
    ) -> Answer:
        """The answer to `payload`, or to the `prefix` of one; with a `stamp` it has a tag.

        Raises ServerError when none came within `timeout_s`.
        """
        ...


class Server(Protocol):
    """Where a server half is: a child process, or an address."""

    def connect(self, bundle_hash: bytes, timeout_s: float) -> Connection:
        """Waits until the server is ready and serves that bundle. Raises ServerError."""
        ...

    def log(self) -> bytes:
        """What the server wrote to its log so far; empty when it is not ours."""
        ...
