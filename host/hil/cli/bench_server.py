"""`hil bench server`: a server process under emulated devices."""

from __future__ import annotations

import json
import sys
from typing import Annotated

import typer

from hil.cli import options
from hil.errors import UsageError

Devices = Annotated[int, typer.Option("--devices", min=1, help="Emulated devices, a connection each.")]
Seconds = Annotated[float, typer.Option("--seconds", min=0.1, help="Of every load.")]
Rates = Annotated[
    list[float] | None,
    typer.Option("--rate", min=0.1, help="Offered requests a second; may be given again."),
]
Minutes = Annotated[
    float, typer.Option("--minutes", min=0, help="Watch the server's memory for so long as well.")
]
BatchMax = Annotated[int, typer.Option("--batch-max", min=1, help="Requests inferred together.")]
DelayMs = Annotated[
    float, typer.Option("--max-delay-ms", min=0, max=1000, help="As of hil serve; 0: nothing is gathered.")
]
Markdown = Annotated[bool, typer.Option("--markdown", help="Print Markdown.")]


def server(
    scheme: options.Scheme = None,
    dataset: options.Dataset = None,
    bundle: options.BundleFile = None,
    devices: Devices = 64,
    seconds: Seconds = 5.0,
    rates: Rates = None,
    minutes: Minutes = 0.0,
    batch_max: BatchMax = 32,
    max_delay_ms: DelayMs = 2.0,
    markdown: Markdown = False,
    data_dir: options.DataDir = None,
    as_json: options.Json = False,
    verbose: options.Verbose = False,
) -> int:
    """A server under load: throughput of the bare forward pass's, latency, batches, memory.

    First every device asks again as soon as it is answered; then requests come at random times, at shares of
    that throughput or the rates given.
    """
    if markdown and as_json:
        raise UsageError("--markdown and --json are two forms of one output", "take one of them")
    from rich.console import Console

    from hil.bench.server import Settings, as_values, measure
    from hil.cli.bench_bar import BenchBar
    from hil.cli.bench_kernels import found_bundle
    from hil.report.bench_server import server_markdown, server_table

    settings = Settings(
        devices, seconds, rates_per_s=tuple(rates or ()), minutes=minutes,
        batch_max=batch_max, delay_ms=max_delay_ms, data_dir=data_dir,
    )  # fmt: skip
    with BenchBar() as bar:
        report = measure(bundle or found_bundle(scheme, dataset), settings, bar.report)
    if as_json:
        sys.stdout.write(json.dumps(as_values(report), indent=2) + "\n")
    elif markdown:
        sys.stdout.write(server_markdown(report))
    else:
        Console().print(server_table(report))
    return 0
