"""`hil serve`: the server half of a bundle, as a process of its own."""

from __future__ import annotations

import os
import stat
import sys
from pathlib import Path
from typing import Annotated

import typer

from hil.cli import options


def serve(
    bundle: Annotated[Path, typer.Option("--bundle", help="The bundle whose server half is served.")],
    host: Annotated[str, typer.Option("--host", help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="0 takes any free port.")] = 0,
    codec: options.Codec = None,
    codec_for: options.CodecFor = "latency",
    radio: options.Radio = "wifi-6m",
    clock_mhz: options.ClockMhz = None,
    announce: Annotated[
        bool, typer.Option("--announce", help="Tell the program that started this one, and end with it.")
    ] = False,
    verbose: options.Verbose = False,
) -> int:
    """Serve the half of a network that stays off the device."""
    from hil.boards.options import DEFAULT_CLOCK_HZ
    from hil.deploy.codecs.pack import pack
    from hil.deploy.codecs.request import CodecRequest
    from hil.server.app import serve as serve_bundle

    clock_hz = DEFAULT_CLOCK_HZ if clock_mhz is None else clock_mhz * 1_000_000
    packed = pack(bundle, CodecRequest(codec, codec_for, radio), clock_hz).bundle
    from hil.server.process import ready_line

    def ready(bound: int) -> None:
        text = ready_line(bound) if announce else f"serving {bundle} at {host}:{bound}; stop with Ctrl-C"
        print(text, flush=True)

    serve_bundle(packed, host, port, ready, follow_parent=announce and _stdin_is_pipe())
    return 0


def _stdin_is_pipe() -> bool:
    """Whether somebody holds the other end: a terminal or /dev/null says nothing about a parent."""
    try:
        return stat.S_ISFIFO(os.fstat(sys.stdin.fileno()).st_mode)
    except (OSError, ValueError, AttributeError):
        return False
