"""`hil serve`: the server half of a bundle, as a process of its own."""

from __future__ import annotations

import os
import stat
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hil.cli import options
from hil.errors import UsageError

if TYPE_CHECKING:
    from hil.server.options import Bound, ServeOptions

_SAFETY = "Who may ask"
_LOAD = "Load"

Bundle = Annotated[Path | None, typer.Option("--bundle", help="The bundle whose server half is served.")]
Host = Annotated[str, typer.Option("--host", help="The address to listen on.")]
Port = Annotated[int, typer.Option("--port", min=0, max=65535, help="0 takes any free port.")]
TokenFile = Annotated[
    Path | None,
    typer.Option(
        "--token-file", help="Let in only who is in this file: name:token a line.", rich_help_panel=_SAFETY
    ),
]
NewToken = Annotated[
    str | None,
    typer.Option(
        "--new-token",
        metavar="NAME",
        help="Print a token for NAME, or add it to --token-file, and serve nothing.",
        rich_help_panel=_SAFETY,
    ),
]
Insecure = Annotated[
    bool,
    typer.Option(
        "--insecure", help="Let in anybody, from other machines too, without TLS.", rich_help_panel=_SAFETY
    ),
]
TlsCert = Annotated[
    Path | None, typer.Option("--tls-cert", help="A certificate, as PEM.", rich_help_panel=_SAFETY)
]
TlsKey = Annotated[Path | None, typer.Option("--tls-key", help="Its key, as PEM.", rich_help_panel=_SAFETY)]
SelfSigned = Annotated[
    bool,
    typer.Option(
        "--self-signed",
        help="TLS with a certificate made here, once; without --tls-cert on any address but loopback.",
        rich_help_panel=_SAFETY,
    ),
]
BatchMax = Annotated[
    int, typer.Option("--batch-max", min=1, help="Requests inferred together.", rich_help_panel=_LOAD)
]
DelayMs = Annotated[
    float,
    typer.Option(
        "--max-delay-ms",
        min=0,
        max=1000,
        help="How long inference may stand still for a larger batch.",
        rich_help_panel=_LOAD,
    ),
]
QueueMax = Annotated[
    int, typer.Option("--queue-max", min=1, help="Requests waiting, of all.", rich_help_panel=_LOAD)
]
SessionMax = Annotated[
    int, typer.Option("--session-max", min=1, help="Requests under way, of one.", rich_help_panel=_LOAD)
]
ConnectionsMax = Annotated[
    int, typer.Option("--connections-max", min=1, help="Sessions at a time.", rich_help_panel=_LOAD)
]
IdleS = Annotated[
    float,
    typer.Option("--idle-s", min=0, help="Close a silent session then; 0: never.", rich_help_panel=_LOAD),
]
Threads = Annotated[
    int, typer.Option("--threads", min=1, help="Of torch, in one inference.", rich_help_panel=_LOAD)
]
MetricsPort = Annotated[
    int | None,
    typer.Option("--metrics-port", min=0, max=65535, help="Prometheus metrics and /healthz on 127.0.0.1."),
]
Announce = Annotated[
    bool, typer.Option("--announce", help="Tell the program that started this one, and end with it.")
]


def serve(
    bundle: Bundle = None,
    trust: options.Trust = None,
    host: Host = "127.0.0.1",
    port: Port = 0,
    token_file: TokenFile = None,
    new_token: NewToken = None,
    insecure: Insecure = False,
    tls_cert: TlsCert = None,
    tls_key: TlsKey = None,
    self_signed: SelfSigned = False,
    batch_max: BatchMax = 32,
    max_delay_ms: DelayMs = 2.0,
    queue_max: QueueMax = 1024,
    session_max: SessionMax = 32,
    connections_max: ConnectionsMax = 2048,
    idle_s: IdleS = 900.0,
    threads: Threads = 1,
    metrics_port: MetricsPort = None,
    codec: options.Codec = None,
    codec_for: options.CodecFor = "latency",
    radio: options.Radio = "wifi-6m",
    clock_mhz: options.ClockMhz = None,
    announce: Announce = False,
    verbose: options.Verbose = False,
) -> int:
    """Serve the half of a network that stays off the device. Ctrl-C answers what is asked, and ends."""
    if new_token is not None:
        return _new_token(new_token, token_file)
    if bundle is None:
        raise UsageError("there is nothing to serve", "name it: --bundle FILE")
    if trust is not None:
        from hil.signing import keys, signature

        signature.require(bundle, keys.trusted(trust))
    from hil.boards.options import DEFAULT_CLOCK_HZ
    from hil.deploy.codecs.pack import pack
    from hil.deploy.codecs.request import CodecRequest
    from hil.server.limits import Limits
    from hil.server.options import ServeOptions

    limits = Limits(queue_max, session_max, batch_max, max_delay_ms, connections_max, idle_s=idle_s)
    chosen = ServeOptions(
        host, port, limits, token_file, insecure, tls_cert, tls_key, self_signed, metrics_port, threads
    )
    clock_hz = DEFAULT_CLOCK_HZ if clock_mhz is None else clock_mhz * 1_000_000
    packed = pack(bundle, CodecRequest(codec, codec_for, radio), clock_hz).bundle
    from hil.server.app import serve as serve_bundle
    from hil.server.process import ready_line

    def ready(bound: Bound) -> None:
        print(ready_line(bound) if announce else _greeting(bundle, chosen, bound), flush=True)

    _log(verbose, quiet=announce)
    serve_bundle(packed, chosen, ready, follow_parent=announce and _stdin_is_pipe())
    return 0


def _new_token(name: str, path: Path | None) -> int:
    from hil.server import tokens

    made = tokens.new(name)
    if path is None:
        print(made.line())
    else:
        tokens.append(path, made)
        print(f"{path} has a token of {made.name}")
    return 0


def _greeting(bundle: Path, chosen: ServeOptions, bound: Bound) -> str:
    lines = [f"serving {bundle} at {chosen.host}:{bound.port}; stop with Ctrl-C"]
    if bound.fingerprint:
        lines.append(f"TLS fingerprint {bound.fingerprint}")
    if bound.metrics_port is not None:
        lines.append(f"metrics at http://127.0.0.1:{bound.metrics_port}/metrics")
    return "\n".join(lines)


def _log(verbose: bool, quiet: bool) -> None:
    """Sessions to standard error as they end; a run's own server says only what went wrong."""
    import logging

    level = logging.WARNING if quiet else logging.DEBUG if verbose else logging.INFO
    logging.basicConfig(format="%(asctime)s %(message)s", level=logging.WARNING)
    logging.getLogger("hil.server").setLevel(level)


def _stdin_is_pipe() -> bool:
    """Whether somebody holds the other end: a terminal or /dev/null says nothing about a parent."""
    try:
        return stat.S_ISFIFO(os.fstat(sys.stdin.fileno()).st_mode)
    except (OSError, ValueError, AttributeError):
        return False
