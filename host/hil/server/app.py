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
from hil.errors import HilError, ServerError
from hil.server.batching import BatchLimits, Remote
from hil.server.orphan import watch_parent
from hil.server.service import Service

THREADS = 2
"""Threads of torch: the board, or its twin, needs the other cores."""

EXIT_LIMIT_S = 10.0
"""A server whose parent is gone and which still runs after so long is ended by force."""


def serve(
    bundle: Path,
    host: str,
    port: int,
    announce: Callable[[int], None],
    *,
    limits: BatchLimits | None = None,
    follow_parent: bool = False,
) -> None:
    """Serves `bundle` until SIGTERM, SIGINT or, with `follow_parent`, the parent's end.

    `announce` gets the port once a warm-up inference has passed. Raises BundleError when the bundle
    is unreadable and ServerError when it has no server half or the address is taken.
    """
    stop = Stop()
    if follow_parent:
        watch_parent(stop.orphaned)
    manifest = bundles.read_manifest(bundle)
    if manifest.payload is None:
        raise ServerError(f"{manifest.scheme} has no server half", "it runs on the device alone")
    remote = _load(bundle)
    with contextlib.suppress(HilError):
        remote.warm_up()
    packing = f"packed by codec {manifest.payload.codec!r} in {manifest.payload.order}"
    service = Service(remote, bundles.digest(bundle), limits or BatchLimits(), packing)
    asyncio.run(run_service(service, host, port, announce, stop))


async def run_service(
    service: Service, host: str, port: int, announce: Callable[[int], None], stop: Stop
) -> None:
    """Runs `service` until `stop` is requested or a signal arrives. Raises ServerError."""
    stopped = stop.bind(asyncio.get_running_loop())
    try:
        bound = await service.start(host, port)
    except OSError as error:
        hint = "another server may use that port; 0 picks a free one"
        raise ServerError(f"cannot listen on {host}:{port}: {error.strerror}", hint) from None
    announce(bound)
    await stopped.wait()
    await service.stop()


def _load(bundle: Path) -> Remote:
    os.environ.setdefault("OMP_NUM_THREADS", str(THREADS))
    import torch

    from hil.schemes.remote import RemoteHalf

    torch.set_num_threads(THREADS)
    remote: Remote = RemoteHalf(bundle)
    return remote


class Stop:
    """A request to stop that may come from a signal or another thread, before or during the loop."""

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._event = asyncio.Event()

    def bind(self, loop: asyncio.AbstractEventLoop) -> asyncio.Event:
        """The event that a request sets in `loop`; in the main thread signals set it as well."""
        self._loop = loop
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGTERM, signal.SIGINT):
                loop.add_signal_handler(number, self._event.set)
        return self._event

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
