"""`hil run`: trains if need be, builds, boots, runs samples through both halves, reports."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hil.cli import complete, options
from hil.errors import UsageError

if TYPE_CHECKING:
    from hil.server.address import ServerAddress

Samples = Annotated[int, typer.Option("--n", "-n", help="Samples to run.")]
Out = Annotated[
    Path | None, typer.Option("--out", "-o", help="Where run folders are made; runs/ if not given.")
]
DeadlineMs = Annotated[float, typer.Option("--deadline-ms", help="The device answers alone after so long.")]
ServerMs = Annotated[
    float | None,
    typer.Option("--server-ms", help="Take this for the server's time, not the measured one."),
]
ServerAt = Annotated[
    str | None,
    typer.Option("--server", metavar="HOST:PORT", help="A server half that runs already: see hil serve."),
]
TokenFile = Annotated[
    Path | None,
    typer.Option("--token-file", help="name:token for --server; else HIL_TOKEN."),
]
TlsCa = Annotated[
    Path | None, typer.Option("--tls-ca", help="--server speaks TLS: who signed its certificate, as PEM.")
]
TlsFingerprint = Annotated[
    str | None, typer.Option("--tls-fingerprint", help="--server speaks TLS: its certificate's SHA-256.")
]
Authenticate = Annotated[
    bool | None,
    typer.Option(
        "--authenticate/--no-authenticate",
        help="The device takes no reply but the server half's own; the default with --server elsewhere.",
    ),
]
Insecure = Annotated[bool, typer.Option("--insecure", help="Ask a --server on another machine without TLS.")]
Overlap = Annotated[
    bool, typer.Option("--overlap/--no-overlap", help="Send the first bytes while the rest is computed.")
]
Period = Annotated[
    float,
    typer.Option("--period", help="Seconds of the board from one sample to the next; it idles meanwhile."),
]
Inject = Annotated[
    list[str] | None,
    typer.Option(
        "--inject",
        metavar="KIND[:SETTING=VALUE,...]",
        help="A fault to inject; may be given again. list: all kinds.",
        autocompletion=complete.faults,
    ),
]
Name = Annotated[str | None, typer.Option("--name", help="The end of the run folder's name.")]

Renode = Annotated[bool, typer.Option("--renode", help="The same as --board renode.")]
RenodePath = Annotated[
    str | None,
    typer.Option("--renode-path", help="Renode's executable, or the folder it was unpacked to."),
]
RenodeTrace = Annotated[
    bool, typer.Option("--renode-trace", help="Keep Renode's profiler output in the run folder.")
]
GdbPort = Annotated[int | None, typer.Option("--gdb", help="Open Renode's GDB server on this port.")]

Probe = Annotated[
    str | None,
    typer.Option("--probe", help="The debug probe of a physical board: the start of its ID; else HIL_PROBE."),
]
SerialPort = Annotated[
    str | None,
    typer.Option("--serial", help="Its serial port; else HIL_SERIAL, else the one with the probe's ID."),
]
Pack = Annotated[
    Path | None, typer.Option("--pack", help="A CMSIS pack that describes its chip, where none is installed.")
]


def run(
    scheme: options.Scheme = None,
    dataset: options.Dataset = None,
    board: options.BoardName = "twin",
    radio: options.Radio = "wifi-6m",
    samples: Samples = 100,
    seed: options.Seed = 0,
    out: Out = None,
    bundle: options.BundleFile = None,
    trust: options.Trust = None,
    deadline_ms: DeadlineMs = 1000.0,
    clock_mhz: options.ClockMhz = None,
    codec: options.Codec = None,
    codec_for: options.CodecFor = "latency",
    kernels: options.Kernels = "tuned",
    server_ms: ServerMs = None,
    overlap: Overlap = True,
    period: Period = 0.0,
    server: ServerAt = None,
    token_file: TokenFile = None,
    tls_ca: TlsCa = None,
    tls_fingerprint: TlsFingerprint = None,
    authenticate: Authenticate = None,
    insecure: Insecure = False,
    inject: Inject = None,
    name: Name = None,
    data_dir: options.DataDir = None,
    renode: Renode = False,
    renode_path: RenodePath = None,
    renode_trace: RenodeTrace = False,
    gdb: GdbPort = None,
    probe: Probe = None,
    serial_port: SerialPort = None,
    pack: Pack = None,
    as_json: options.Json = False,
    plain: options.Plain = False,
    verbose: options.Verbose = False,
) -> int:
    """Run a network cut in two: one half on a board, one on a server, a modelled radio between."""
    from hil.boards.options import BoardOptions
    from hil.cli.reporters import choose
    from hil.deploy.codecs.request import CodecRequest
    from hil.pipeline import Request, resolve, run_pipeline
    from hil.session.options import RunOptions

    if inject and "list" in inject:
        return _list_faults()
    given = {"out": out, "name": name, "server_ms": server_ms, "inject": tuple(inject or ())}
    chosen: dict[str, Any] = {key: value for key, value in given.items() if value is not None}
    run_options = RunOptions(
        n=samples, seed=seed, deadline_ms=deadline_ms, radio=radio, overlap=overlap, period_s=period, **chosen
    )
    request = Request(
        scheme=scheme,
        dataset=dataset,
        board="renode" if renode else board,
        bundle=bundle,
        trust=trust,
        clock_mhz=clock_mhz,
        kernels=kernels,
        codec=CodecRequest(codec, codec_for, radio),
        data_dir=data_dir,
        server=_server(server, token_file, tls_ca, tls_fingerprint, insecure),
        authenticate=authenticate,
        board_options=BoardOptions(
            renode_path=renode_path,
            renode_trace=renode_trace,
            gdb_port=gdb,
            probe=probe,
            serial_port=serial_port,
            pack=pack,
        ),
    )
    plan = resolve(request)
    with choose(as_json, plain) as reporter:
        summary = run_pipeline(plan, run_options, reporter, command=sys.argv)
    return 0 if summary.get("valid", False) else 1


def _list_faults() -> int:
    from rich.console import Console

    from hil.faults.registry import KINDS
    from hil.report.faults import faults_table

    Console().print(faults_table(KINDS.values()))
    return 0


def _server(
    at: str | None, token_file: Path | None, ca: Path | None, fingerprint: str | None, insecure: bool
) -> ServerAddress | None:
    """The server half that was named, and how it is met."""
    if at is None:
        if token_file or ca or fingerprint or insecure:
            raise UsageError("tokens and TLS are for a server that runs already", "add --server HOST:PORT")
        return None
    from hil.server import tokens
    from hil.server.address import ServerAddress
    from hil.server.tls import Trust

    credential = tokens.first(token_file) if token_file else tokens.from_environment()
    trust = Trust(ca, fingerprint or "") if ca or fingerprint else None
    return ServerAddress.parse(at, credential, trust, insecure=insecure)
