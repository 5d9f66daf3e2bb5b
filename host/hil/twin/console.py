"""Runs any image on the twin with its serial ports connected to this terminal, a pty or a socket."""

from __future__ import annotations

import contextlib
import math
import select
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import BinaryIO

from hil.errors import UsageError
from hil.twin.console_ports import Port, open_port
from hil.twin.fault_unit import Faults
from hil.twin.image import load_image
from hil.twin.profile import Profile
from hil.twin.stop import StopReason
from hil.twin.timing.model import Timing
from hil.twin.twin import HSE_DISCO_HZ, Twin

SLICE_S = 0.01
"""Virtual seconds between two looks at the host's inputs, and how long a sleeping core waits there."""


def run_console(
    image: Path,
    uarts: Mapping[int, str],
    seconds: float | None,
    on_warning: Callable[[str], None] = lambda message: None,
    *,
    on_connection: Callable[[str], None] = lambda message: None,
    stdin: BinaryIO | None = None,
    stdout: BinaryIO | None = None,
    realtime: bool = False,
    hse_hz: int = HSE_DISCO_HZ,
    timing: Timing | str = Timing.CYCLES,
    on_trace: Callable[[bytes], None] | None = None,
    on_profile: Callable[[Profile], None] | None = None,
) -> int:
    """Boots `image` and serves its ports until `seconds` of virtual time, or Ctrl-C; returns 0.

    `uarts` maps a port number to "stdio", "pty" or "tcp:PORT" (bound to 127.0.0.1; 0 picks a free
    one). `on_connection` is told where a pty or socket is. `realtime` keeps virtual time from
    running ahead of the wall clock; `timing` says how cycles are counted. Faults go to the firmware's
    handlers, their reports to `on_warning`. `on_trace` gets what firmware writes to the ITM's port 0,
    as an SWO viewer would. `on_profile` is given the profile of what ran, however it ended. Raises
    UsageError for a port or a timing that does not exist.
    """
    profiled = on_profile is not None
    image_ = load_image(image)
    twin = Twin(
        image_, hse_hz=hse_hz, timing=timing, faults=Faults.DELIVER, profile=profiled, on_warning=on_warning
    )
    if on_trace is not None:
        twin.itm.on_bytes = on_trace
        twin.itm.watch()
    with contextlib.ExitStack() as stack:
        ports: dict[int, Port] = {}
        for number, kind in uarts.items():
            if not 1 <= number <= 8:
                raise UsageError(f"there is no UART {number}", "the STM32F746 has ports 1 to 8")
            port = open_port(kind, stdin or sys.stdin.buffer, stdout or sys.stdout.buffer)
            stack.callback(port.close)
            ports[number] = port
            if port.where:
                on_connection(f"{twin.uart(number).name} is at {port.where}")
            twin.uart(number).stop_on_sent()
        if on_profile is not None:
            stack.callback(lambda: on_profile(twin.profile()))
        stopped = stack.enter_context(_interrupts())
        _serve(twin, ports, math.inf if seconds is None else seconds, realtime, stopped, on_warning)
    return 0


@contextlib.contextmanager
def _interrupts() -> Iterator[threading.Event]:
    """Ctrl-C sets the event between two slices: an exception could fall into a callback from C."""
    stopped = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield stopped
        return
    former = signal.signal(signal.SIGINT, lambda *_: stopped.set())
    try:
        yield stopped
    finally:
        signal.signal(signal.SIGINT, former)


def _serve(
    twin: Twin,
    ports: Mapping[int, Port],
    until_s: float,
    realtime: bool,
    stopped: threading.Event,
    on_warning: Callable[[str], None],
) -> None:
    began_s = time.monotonic()
    while twin.now_s < until_s and not stopped.is_set():
        stop = twin.run(min(until_s, twin.now_s + SLICE_S))
        if stop.reason is StopReason.LOCKUP:
            on_warning("the core is locked up: a fault in a fault handler; only a reset leaves this")
        for number, port in ports.items():
            if data := twin.uart(number).take_bytes():
                port.write(data)
        ahead_s = twin.now_s - (time.monotonic() - began_s) if realtime else 0.0
        # A sleeping core with an open end costs no host CPU; with an end in sight it hurries there.
        idle_s = SLICE_S if twin.sleeping and math.isinf(until_s) else 0.0
        _wait(ports, max(ahead_s, idle_s, 0.0))
        for number, port in ports.items():
            if data := port.read():
                twin.uart(number).feed(data)


def _wait(ports: Mapping[int, Port], seconds: float) -> None:
    """Returns early when input is there."""
    if seconds > 0:
        descriptors = [fd for port in ports.values() for fd in port.descriptors()]
        if descriptors:
            select.select(descriptors, [], [], seconds)
        else:
            time.sleep(seconds)
