"""Which bundles come with hil, and where they lie."""

from __future__ import annotations

from pathlib import Path

from hil.errors import unknown_name
from hil.zoo import card as cards
from hil.zoo.card import Card

FOLDER = Path(__file__).resolve().parent


def names() -> tuple[str, ...]:
    """`<scheme>-<dataset>` of every shipped bundle, in order."""
    return tuple(sorted(path.stem for path in FOLDER.glob("*.safetensors")))


def name_of(scheme: str, dataset: str) -> str:
    """What the bundle of `scheme` for `dataset` is called."""
    return f"{scheme}-{dataset}"


def find(scheme: str, dataset: str) -> Path | None:
    """The shipped bundle, or None."""
    path = FOLDER / f"{name_of(scheme, dataset)}.safetensors"
    return path if path.is_file() else None


def card(name: str) -> Card:
    """The card of the bundle called `name`. Raises UsageError on an unknown name."""
    if name not in names():
        raise unknown_name("shipped bundle", name, names())
    return cards.load(FOLDER / f"{name}.json")
