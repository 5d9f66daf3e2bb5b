"""A model card: how a shipped bundle came to be, and what it was measured at."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from hil.bench import row as rows
from hil.bench.row import AccuracyRow
from hil.errors import BundleError

SCHEMA = 1


@dataclass(frozen=True)
class Card:
    """Beside its bundle as `<name>.json`."""

    name: str
    command: str
    """Trains it again."""
    recipe: str
    """What the recipe is called: full or small, and what was set beside."""
    epochs: dict[str, int]
    """Of every phase."""
    hardware: str
    minutes: float
    """Of training, wall-clock; other work may have run beside it."""
    torch: str
    date: str
    figures: AccuracyRow


def as_values(card: Card) -> dict[str, Any]:
    """For JSON."""
    return {"schema": SCHEMA, **asdict(card), "figures": rows.as_values(card.figures)}


def save(card: Card, path: Path) -> None:
    """Writes `card` to `path`."""
    path.write_text(json.dumps(as_values(card), indent=2, ensure_ascii=False) + "\n")


def load(path: Path) -> Card:
    """The card at `path`. Raises BundleError when it cannot be read."""
    try:
        values: dict[str, Any] = json.loads(path.read_text())
        if values.pop("schema") != SCHEMA:
            raise BundleError(f"{path.name} is a card of another version", "install hil again")
        return Card(**{**values, "figures": rows.from_values(values["figures"])})
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BundleError(f"the model card {path.name} is damaged: {error}", "install hil again") from None
