"""`hil bench kernels` and `hil bench firmware`: plain CMSIS-NN against tuned kernels, in one run."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from hil.cli import options
from hil.errors import UsageError
from hil.report.wide import wide

Networks = Annotated[
    list[str] | None,
    typer.Option("--network", help="Only this network; may be given again. All of them if not given."),
]
Bundles = Annotated[
    list[Path] | None, typer.Option("--bundle", help="The device half of this bundle; may be given again.")
]
Samples = Annotated[
    int, typer.Option("--samples", min=1, help="Inferences, after one that warms the caches.")
]
Markdown = Annotated[bool, typer.Option("--markdown", help="Print Markdown.")]


def kernels(
    networks: Networks = None,
    bundles: Bundles = None,
    markdown: Markdown = False,
    as_json: options.Json = False,
    verbose: options.Verbose = False,
) -> int:
    """Cycles of every layer: plain CMSIS-NN, and the kernels that the tuner chooses."""
    _one_form(markdown, as_json)
    from hil.bench.kernels import NETWORKS, as_values, compare, of_bundle, subject
    from hil.cli.bench_bar import BenchBar
    from hil.deploy.build import prepare_toolchain
    from hil.report.bench_kernels import kernels_markdown, kernels_table

    names = list(networks or (() if bundles else NETWORKS))
    subjects = [(name, subject(name)) for name in names]
    subjects += [(path.stem, of_bundle(path)) for path in bundles or ()]
    toolchain, results = prepare_toolchain(), []
    with BenchBar() as bar:
        for done, (name, what) in enumerate(subjects):
            bar.report("kernels", done, len(subjects))
            results.append(compare(name, what, toolchain))
    if as_json:
        _write({"networks": [as_values(result) for result in results]})
    elif markdown:
        sys.stdout.write("\n".join(map(kernels_markdown, results)))
    else:
        for result in results:
            wide(Console()).print(kernels_table(result))
    return 0


def firmware(
    scheme: options.Scheme = None,
    dataset: options.Dataset = None,
    bundle: options.BundleFile = None,
    codec: options.Codec = None,
    samples: Samples = 4,
    markdown: Markdown = False,
    as_json: options.Json = False,
    verbose: options.Verbose = False,
) -> int:
    """The whole device half as firmware: cycles, energy, flash, RAM and payload, plain and tuned.

    With --codec the tuned one packs its payload so; plain kernels are shown with that, and as the bundle is.
    """
    _one_form(markdown, as_json)
    from hil.bench.firmware import as_values, measure, ratios
    from hil.boards.options import DEFAULT_CLOCK_HZ
    from hil.cli.bench_bar import BenchBar
    from hil.deploy.codecs.pack import pack
    from hil.deploy.codecs.request import CodecRequest
    from hil.report.bench_firmware import firmware_markdown, firmware_table

    request = CodecRequest(codec)
    path = bundle or found_bundle(scheme, dataset)
    recoded = None if codec is None else pack(path, request, DEFAULT_CLOCK_HZ).bundle
    with BenchBar() as bar:
        rows = measure(path, samples, bar.report, recoded)
    if as_json:
        _write({"rows": [as_values(row) for row in rows], "ratios": ratios(rows[0], rows[-1])})
    elif markdown:
        sys.stdout.write(firmware_markdown(rows))
    else:
        wide(Console()).print(firmware_table(rows))
    return 0


def _one_form(markdown: bool, as_json: bool) -> None:
    if markdown and as_json:
        raise UsageError("--markdown and --json are two forms of one output", "take one of them")


def found_bundle(scheme: str | None, dataset: str | None) -> Path:
    """The bundle of your own training, else the one that comes with hil. Raises UsageError."""
    from hil import data
    from hil.pipeline import DATASET, SCHEME
    from hil.schemes import registry
    from hil.zoo.shelf import names
    from hil.zoo.trained import trained

    wanted = registry.get(scheme or SCHEME).name, data.get(dataset or DATASET).name
    if (path := trained(*wanted)) is None:
        raise UsageError(
            f"there is no bundle of {wanted[0]} for {wanted[1]}",
            f"hil train --scheme {wanted[0]} --dataset {wanted[1]}; shipped: {', '.join(names())}",
        )
    return path


def _write(report: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(report, indent=2) + "\n")
