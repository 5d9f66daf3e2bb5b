"""The bundles that come with hil: a table of all, and one's model card."""

from __future__ import annotations

from collections.abc import Sequence

from rich.table import Table
from rich.text import Text

from hil.report import format as fmt
from hil.report.frame import new_table
from hil.zoo.card import Card


def zoo_table(cards: Sequence[Card]) -> Table:
    """A line per bundle."""
    table = new_table()
    table.add_column("bundle", style="bold", no_wrap=True)
    for head in ("int8 accuracy", "payload", "skewness"):
        table.add_column(head, justify="right")
    table.add_column("recipe")
    for card in cards:
        figures = card.figures
        row = (
            card.name,
            fmt.percent(figures.int8_accuracy),
            fmt.size(figures.payload_bytes_mean),
            fmt.percent(figures.skewness),
            card.recipe,
        )
        table.add_row(*(Text(cell) for cell in row))
    return table


def card_rows(card: Card) -> list[tuple[str, str]]:
    """Everything that the card says, a figure per line."""
    figures = card.figures
    samples = f"{figures.samples:,}".replace(",", " ")
    rows = [
        ("scheme, data set, seed", f"{figures.scheme}, {figures.dataset}, {figures.seed}"),
        ("recipe", card.recipe),
        ("epochs", ", ".join(f"{phase} {count}" for phase, count in card.epochs.items())),
        ("trained", f"{card.date}, {card.minutes:.0f} min on {card.hardware}, torch {card.torch}"),
        ("again by", card.command),
        (f"accuracy in float, {samples} test samples", fmt.percent(figures.float_accuracy, 2)),
        ("accuracy in int8, the same samples", fmt.percent(figures.int8_accuracy, 2)),
        ("accuracy of the device alone, int8", fmt.percent(figures.local_accuracy, 2)),
        ("skewness", fmt.percent(figures.skewness)),
        ("payload, mean", fmt.size(figures.payload_bytes_mean)),
        ("payload, 95th percentile", fmt.size(figures.payload_bytes_p95)),
        ("MACs on the device", f"{figures.device_macs:,}".replace(",", " ")),
        (
            "weights, device + server",
            f"{figures.device_parameters:,} + {figures.server_parameters:,}".replace(",", " "),
        ),
        ("SHA-256", figures.digest),
    ]
    if figures.exit_share:
        rows.insert(8, ("answered without asking", fmt.percent(figures.exit_share)))
    if figures.twin is not None:
        twin = figures.twin
        text = f"{fmt.percent(twin.accuracy, 2)}, {fmt.percent(twin.agreement)} equal to the host reference"
        rows.insert(7, (f"accuracy on the twin, {twin.samples} samples", text))
    return rows


def card_table(card: Card) -> Table:
    """`card_rows` as a table."""
    table = new_table(card.name)
    table.add_column("", no_wrap=True)
    table.add_column("", overflow="fold")
    table.show_header = False
    for row in card_rows(card):
        table.add_row(*(Text(cell) for cell in row))
    return table


def card_markdown(card: Card) -> str:
    """`card_rows` as a section of a document."""
    lines = [
        f"| {name} | {f'`{text}`' if name in ('again by', 'SHA-256') else text} |"
        for name, text in card_rows(card)
    ]
    return "\n".join([f"## {card.name}", "", "| | |", "|---|---|", *lines]) + "\n"
