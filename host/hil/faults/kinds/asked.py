"""What faults of the server half have in common: they strike the first request of an armed sample."""

from __future__ import annotations

from collections.abc import Mapping
from random import Random
from typing import Any

from hil.errors import UsageError
from hil.faults.injection import Injection
from hil.faults.proxy import Proxy
from hil.server.answer import Server
from hil.server.kept import KeptServer
from hil.server.protocol import Kind


class ServerInjection(Injection):
    """Sits on the line to a server half that hil started itself."""

    def __init__(self, settings: Mapping[str, Any], random: Random) -> None:
        super().__init__(settings, random)
        self._server: KeptServer | None = None
        self._proxy: Proxy | None = None
        self._due = False

    @property
    def kept(self) -> KeptServer:
        assert self._server is not None
        return self._server

    @property
    def proxy(self) -> Proxy:
        assert self._proxy is not None
        return self._proxy

    def server(self, server: Server) -> Server:
        if not isinstance(server, KeptServer):
            raise UsageError(
                "faults of the server half need one that hil starts itself", "leave --server out"
            )
        self._server, before = server, server.via
        self._proxy = Proxy(self._on_asked, self._on_answered)
        server.via = lambda port: self.proxy.via(before(port))
        return server

    def begin(self, index: int) -> None:
        self._due = self.armed

    def close(self) -> None:
        if self._proxy is not None:
            self._proxy.close()

    def asked(self, message: bytes) -> bytes | None:
        """The request of an armed sample: what is passed on, None for nothing and never again."""
        return message

    def answered(self, message: bytes) -> bytes | None:
        """The answer to it."""
        return message

    def _on_asked(self, kind: Kind | None, message: bytes) -> bytes | None:
        return self.asked(message) if self._due and kind is Kind.INFER else message

    def _on_answered(self, kind: Kind | None, message: bytes) -> bytes | None:
        if not self._due or kind is not Kind.ANSWER:
            return message
        self._due = False
        return self.answered(message)
