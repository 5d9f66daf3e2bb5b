"""`hil boards`: the boards a run can name, and the probes that physical ones are connected through."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from hil.cli import options

if TYPE_CHECKING:
    from hil.probe.listing import Listed

Connected = Annotated[
    bool, typer.Option("--connected", help="List debug probes and their serial ports instead.")
]


def boards(
    connected: Connected = False, as_json: options.Json = False, verbose: options.Verbose = False
) -> int:
    """List the boards that `hil run --board` takes."""
    if connected:
        from hil.probe.listing import listed

        return _show_probes(listed(), as_json)
    from hil.boards import registry

    infos = [registry.get(name).info for name in registry.names()]
    if as_json:
        sys.stdout.write(json.dumps([asdict(info) for info in infos], indent=2) + "\n")
        return 0
    from rich.console import Console

    from hil.report.boards import boards_table

    Console().print(boards_table(infos))
    return 0


def _show_probes(probes: Sequence[Listed], as_json: bool) -> int:
    """None connected is no error of the one who asks."""
    if as_json:
        sys.stdout.write(json.dumps([asdict(probe) for probe in probes], indent=2) + "\n")
        return 0
    from rich.console import Console

    from hil.probe.select import NONE_HINT
    from hil.report.boards import probes_table

    console = Console()
    if probes:
        console.print(probes_table(probes))
    else:
        console.print(f"no debug probe is connected\n{NONE_HINT}", markup=False, highlight=False)
    return 0
