"""The server half as a process: load, warm up, announce, serve, stop on a signal.

Only this module makes a server import torch, and only when `serve` runs.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import threading
from collections.abc import Callable
from pathlib import Path

from hil import bundle as bundles
from hil import paths
from hil.errors import ServerError
from hil.server import tls, tokens
from hil.server.options import DEVICE_KEY, Bound, ServeOptions
from hil.server.orphan import watch_parent
from hil.server.remote import Remote
from hil.server.service import LOG, Service

EXIT_LIMIT_S = 10.0
"""A server whose parent is gone and which still runs after so long is ended by force."""

_SPARE_FILES = 64
"""Open files beside connections."""


def serve(
    bundle: Path,
    options: ServeOptions,
    announce: Callable[[Bound], None],
    *,
    follow_parent: bool = False,
) -> None:
    """Serves `bundle` until SIGTERM, SIGINT or, with `follow_parent`, the parent's end.

    `announce` is told where once a warm-up inference has passed. A second signal ends the process at once.

    Raises BundleError when the bundle is unreadable, UsageError on tokens or certificates that are none, and
    ServerError when it has no server half or the address is taken.
    """
    stop = Stop()
    if follow_parent:
        watch_parent(stop.orphaned)
    key = bytes.fromhex(os.environ.pop(DEVICE_KEY, "")) or None
    manifest = bundles.read_manifest(bundle)
    if manifest.payload is None:
        raise ServerError(f"{manifest.scheme} has no server half", "it runs on the device alone")
    known = None if options.token_file is None else tokens.load(options.token_file)
    certificate = _certificate(options)
    remote = _load(bundle, options.threads)
    packing = f"packed by codec {manifest.payload.codec!r} in {manifest.payload.order}"
    context = tls.server_context(*certificate) if certificate else None
    service = Service(remote, bundles.digest(bundle), options.limits, packing, known, context, key)
    for danger in options.dangers:
        LOG.warning("INSECURE: %s", danger)
    _allow_files(options.limits.connections_max + _SPARE_FILES)
    fingerprint = tls.fingerprint(certificate[0]) if certificate else ""
    asyncio.run(run_service(service, options, announce, stop, fingerprint))


async def run_service(
    service: Service,
    options: ServeOptions,
    announce: Callable[[Bound], None],
    stop: Stop,
    fingerprint: str = "",
) -> None:
    """Runs `service` until `stop` is requested or a signal arrives. Raises ServerError."""
    stopped = stop.bind(asyncio.get_running_loop())
    try:
        bound = await service.start(options.host, options.port)
    except OSError as error:
        hint = "another server may use that port; 0 picks a free one"
        raise ServerError(f"cannot listen on {options.host}:{options.port}: {error.strerror}", hint) from None
    metrics = None
    if options.metrics_port is not None:
        from hil.server.metrics import registry
        from hil.server.metrics_http import MetricsServer

        metrics = MetricsServer(options.metrics_port, registry(service), lambda: not service.draining)
    announce(Bound(bound, metrics.port if metrics else None, fingerprint))
    await stopped.wait()
    await service.stop()
    if metrics:
        metrics.stop()


def _certificate(options: ServeOptions) -> tuple[Path, Path] | None:
    if options.makes_certificate:
        return tls.self_signed(paths.cache_dir() / "tls", options.host)
    if options.tls_cert and options.tls_key:
        return options.tls_cert, options.tls_key
    return None


def _load(bundle: Path, threads: int) -> Remote:
    os.environ.setdefault("OMP_NUM_THREADS", str(threads))
    import torch

    from hil.schemes.remote import RemoteHalf

    torch.set_num_threads(threads)
    remote: Remote = RemoteHalf(bundle)
    return remote


def _allow_files(count: int) -> None:
    """As many open files as connections need, where the system lets us."""
    with contextlib.suppress(ImportError, OSError, ValueError):
        import resource

        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        if soft < count:
            resource.setrlimit(resource.RLIMIT_NOFILE, (min(count, hard), hard))


class Stop:
    """A request to stop that may come from a signal or another thread, before or during the loop.

    A signal after that ends the process at once.
    """

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._event = asyncio.Event()

    def bind(self, loop: asyncio.AbstractEventLoop) -> asyncio.Event:
        """The event that a request sets in `loop`; in the main thread signals set it as well."""
        self._loop = loop
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGTERM, signal.SIGINT):
                loop.add_signal_handler(number, self._signalled, number)
        return self._event

    def _signalled(self, number: int) -> None:
        if self._event.is_set():
            os._exit(128 + number)
        self._event.set()

    def request(self) -> None:
        """From any thread, once the loop runs."""
        if self._loop is not None:
            with contextlib.suppress(RuntimeError):  # the loop has already ended
                self._loop.call_soon_threadsafe(self._event.set)

    def orphaned(self) -> None:
        """The parent is gone: stop, at once while still loading, by force if it takes too long."""
        if self._loop is None:
            os._exit(0)
        guard = threading.Timer(EXIT_LIMIT_S, os._exit, args=(1,))
        guard.daemon = True
        guard.start()
        self.request()
