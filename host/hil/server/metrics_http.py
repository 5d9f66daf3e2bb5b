"""`/metrics` and `/healthz` on a port of their own, in threads of their own."""

from __future__ import annotations

import threading
from collections.abc import Callable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import TCPServer
from typing import Any

from hil.errors import ServerError

_HOST = "127.0.0.1"
_TIMEOUT_S = 5.0
"""A client that sends or reads nothing for so long is dropped."""
_THREADS_MAX = 16
"""Clients at a time; another one is dropped."""


class MetricsServer(ThreadingHTTPServer):
    """Serves until `stop`. Raises ServerError when the port is taken, or prometheus-client is not there."""

    daemon_threads = True
    block_on_close = False

    def __init__(self, port: int, registry: Any, healthy: Callable[[], bool]) -> None:
        self.registry = registry
        self.healthy = healthy
        self._places = threading.Semaphore(_THREADS_MAX)
        try:
            super().__init__((_HOST, port), _Handler)
        except OSError as error:
            hint = "another server may use that port; 0 picks a free one"
            raise ServerError(f"cannot serve metrics on port {port}: {error.strerror}", hint) from None
        threading.Thread(target=self.serve_forever, name="hil-metrics", daemon=True).start()

    @property
    def port(self) -> int:
        return int(self.server_address[1])

    def server_bind(self) -> None:
        """Without HTTPServer's look-up of this machine's name, which can take seconds."""
        TCPServer.server_bind(self)
        self.server_name, self.server_port = _HOST, int(self.server_address[1])

    def process_request(self, request: Any, client_address: Any) -> None:
        """In a thread, if one is free."""
        if self._places.acquire(blocking=False):
            super().process_request(request, client_address)
        else:
            self.shutdown_request(request)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Gives the place back."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._places.release()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that left half-way is nobody's concern."""

    def stop(self) -> None:
        self.shutdown()
        self.server_close()


class _Handler(BaseHTTPRequestHandler):
    server: MetricsServer
    timeout = _TIMEOUT_S

    def do_GET(self) -> None:
        """Two pages."""
        path = self.path.partition("?")[0]
        if path == "/metrics":
            from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

            self._send(HTTPStatus.OK, generate_latest(self.server.registry), CONTENT_TYPE_LATEST)
        elif path == "/healthz":
            ok = self.server.healthy()
            status = HTTPStatus.OK if ok else HTTPStatus.SERVICE_UNAVAILABLE
            self._send(status, b"ok\n" if ok else b"draining\n", "text/plain")
        else:
            self._send(HTTPStatus.NOT_FOUND, b"/metrics or /healthz\n", "text/plain")

    def log_message(self, format: str, *arguments: Any) -> None:
        """Nothing: a log of scrapes helps nobody."""

    def _send(self, status: HTTPStatus, body: bytes, kind: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
