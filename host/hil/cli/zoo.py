"""`hil zoo`: the trained bundles that come with hil, and their model cards."""

from __future__ import annotations

import json
import sys
from typing import Annotated

import typer

from hil.cli import complete, options

Name = Annotated[
    str | None,
    typer.Argument(
        help="Show this one's model card; all in a table if not given.", autocompletion=complete.shipped
    ),
]


def zoo(name: Name = None, as_json: options.Json = False, verbose: options.Verbose = False) -> int:
    """List the trained bundles that come with hil, or show one's model card."""
    from hil.zoo import card as cards
    from hil.zoo import shelf

    chosen = [shelf.card(each) for each in ([name] if name else shelf.names())]
    if as_json:
        values = [cards.as_values(card) for card in chosen]
        sys.stdout.write(json.dumps(values[0] if name else values, indent=2, ensure_ascii=False) + "\n")
        return 0
    from rich.console import Console

    from hil.report.zoo import card_table, zoo_table

    Console().print(card_table(chosen[0]) if name else zoo_table(chosen))
    return 0
