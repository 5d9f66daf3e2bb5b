"""`hil boards`: the boards a run can name."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict

from hil.cli import options


def boards(as_json: options.Json = False, verbose: options.Verbose = False) -> int:
    """List the boards that `hil run --board` takes."""
    from hil.boards import registry

    infos = [registry.get(name).info for name in registry.names()]
    if as_json:
        sys.stdout.write(json.dumps([asdict(info) for info in infos], indent=2) + "\n")
        return 0
    from rich.console import Console

    from hil.report.boards import boards_table

    Console().print(boards_table(infos))
    return 0
