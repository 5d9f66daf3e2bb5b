"""What `serve` is asked for."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from hil.errors import UsageError
from hil.server.limits import Limits

DEVICE_KEY: Final = "HIL_DEVICE_KEY"
"""The environment variable by which a run tells the server half that it starts the key of its device."""


@dataclass(frozen=True)
class Bound:
    """Where a service listens, once it does."""

    port: int
    metrics_port: int | None = None
    fingerprint: str = ""
    """Of its certificate; empty without TLS."""


@dataclass(frozen=True)
class ServeOptions:
    """Raises UsageError on a combination that would be unsafe or makes no sense."""

    host: str = "127.0.0.1"
    port: int = 0
    limits: Limits = field(default_factory=Limits)
    token_file: Path | None = None
    insecure: bool = False
    """Strangers may come from other machines, and everything may cross the network in the clear."""
    tls_cert: Path | None = None
    tls_key: Path | None = None
    self_signed: bool = False
    metrics_port: int | None = None
    """On 127.0.0.1; 0 takes any free one. None: no metrics."""
    threads: int = 1
    """Of torch, in one inference. Threads spin while they wait: with more of them than free cores
    a batch takes many times as long."""

    def __post_init__(self) -> None:
        if (self.tls_cert is None) != (self.tls_key is None):
            raise UsageError("--tls-cert and --tls-key go together", "give both, or --self-signed")
        if self.self_signed and self.tls_cert is not None:
            raise UsageError("--self-signed makes a certificate, --tls-cert names one", "take one of them")
        if not is_loopback(self.host) and self.token_file is None and not self.insecure:
            raise UsageError(
                f"anybody who reaches {self.host} could use this server",
                "give --token-file FILE (`hil serve --new-token NAME --token-file FILE` adds a device), "
                "or --insecure to let in anybody",
            )

    @property
    def makes_certificate(self) -> bool:
        """Whether one of its own is made: when asked for, and off this machine where no other was given."""
        exposed = not is_loopback(self.host) and not self.insecure
        return self.self_signed or (exposed and self.tls_cert is None)

    @property
    def tls(self) -> bool:
        return self.makes_certificate or self.tls_cert is not None

    @property
    def dangers(self) -> tuple[str, ...]:
        """What everybody who reaches it can do."""
        if is_loopback(self.host):
            return ()
        strangers = f"anybody who reaches {self.host} may use this server: give --token-file"
        clear = "payloads, answers and tokens cross the network in the clear: leave --insecure out"
        return (() if self.token_file else (strangers,)) + (() if self.tls else (clear,))


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches it."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
