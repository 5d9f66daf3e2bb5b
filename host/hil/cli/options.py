"""Options that several verbs share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from hil.cli import complete

Scheme = Annotated[
    str | None,
    typer.Option(
        "--scheme",
        "-s",
        help="How the network is cut; agilenn or the bundle's.",
        autocompletion=complete.schemes,
    ),
]
Dataset = Annotated[
    str | None,
    typer.Option(
        "--dataset",
        "-d",
        help="What it is trained on; digits or the bundle's.",
        autocompletion=complete.datasets,
    ),
]
BoardName = Annotated[
    str, typer.Option("--board", "-b", help="Where the device half runs.", autocompletion=complete.boards)
]
Seed = Annotated[
    int, typer.Option("--seed", min=0, help="Samples, radio and losses follow from it; not the bundle.")
]
TrainingSeed = Annotated[
    int, typer.Option("--seed", min=0, help="Every draw of the training follows from it.")
]
BundleFile = Annotated[
    Path | None,
    typer.Option("--bundle", help="A trained bundle; else the cached one, trained when there is none."),
]
Trust = Annotated[
    Path | None,
    typer.Option(
        "--trust",
        metavar="KEYS",
        envvar="HIL_TRUST",
        help="Take only a bundle that one of these public keys has signed: see hil sign.",
    ),
]
DataDir = Annotated[
    Path | None, typer.Option("--data-dir", help="Where data sets lie that do not come with a package.")
]
ClockMhz = Annotated[
    int | None,
    typer.Option("--clock-mhz", min=60, max=216, help="The core's clock; the board's fastest if not given."),
]
Kernels = Annotated[
    str,
    typer.Option(
        "--kernels",
        help="tuned: the fastest by the twin's cycle model; plain: CMSIS-NN's alone.",
        autocompletion=complete.kernels,
    ),
]
Codec = Annotated[
    str | None,
    typer.Option(
        "--codec",
        help="How the payload is packed, the cheapest for auto; the bundle's way if not given.",
        autocompletion=complete.codecs,
    ),
]
CodecFor = Annotated[
    str, typer.Option("--codec-for", help="What --codec auto minimises over the radio: latency or energy.")
]
Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON, and nothing else, to stdout.")]
Plain = Annotated[bool, typer.Option("--plain", help="Plain lines instead of the live dashboard.")]
Verbose = Annotated[bool, typer.Option("--verbose", "-v", help="Show tracebacks of errors.")]
Radio = Annotated[
    str,
    typer.Option(
        "--radio",
        "-r",
        help="The modelled link: a name, name:key=value,… or custom:bandwidth=1M,latency=2ms,…",
        autocompletion=complete.radios,
    ),
]
