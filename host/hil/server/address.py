"""A server half that somebody else started, known by its address."""

from __future__ import annotations

from dataclasses import dataclass

from hil.errors import UsageError
from hil.server.client import Client
from hil.server.options import is_loopback
from hil.server.tls import Trust
from hil.server.tokens import Credential


@dataclass(frozen=True)
class ServerAddress:
    """Where a server listens, and how it is met."""

    host: str
    port: int
    credential: Credential | None = None
    trust: Trust | None = None
    """None: without TLS."""
    insecure: bool = False
    """Without TLS to another machine as well."""

    def __post_init__(self) -> None:
        """Raises UsageError where token and payloads would cross a network in the clear unasked."""
        if self.trust is None and not self.insecure and not is_loopback(self.host):
            raise UsageError(
                f"without TLS anybody on the way to {self.host} could read and change what is said",
                "give --tls-fingerprint, which the server prints, or --tls-ca; or --insecure to go without",
            )

    @classmethod
    def parse(
        cls,
        text: str,
        credential: Credential | None = None,
        trust: Trust | None = None,
        *,
        insecure: bool = False,
    ) -> ServerAddress:
        """From `host:port`. Raises UsageError."""
        host, _, port = text.rpartition(":")
        if not host or not port.isdecimal() or not 0 < int(port) < 65_536:
            raise UsageError(f"{text!r} is no server address", "write host:port, for example 127.0.0.1:7011")
        return cls(host.strip("[]"), int(port), credential, trust, insecure)

    @property
    def is_loopback(self) -> bool:
        """Whether it is on this machine."""
        return is_loopback(self.host)

    def connect(self, bundle_hash: bytes, timeout_s: float) -> Client:
        """An open connection. Raises ServerError."""
        return Client(
            self.host, self.port, bundle_hash, timeout_s, credential=self.credential, trust=self.trust
        )

    def log(self) -> bytes:
        return b""
