"""The recipe that a bundle keeps, as the scheme's own type."""

from __future__ import annotations

from typing import TypeVar

from hil.bundle import Manifest
from hil.errors import BundleError, UsageError
from hil.training.recipe import Recipe

R = TypeVar("R", bound=Recipe)


def stored_recipe(manifest: Manifest, kind: type[R]) -> R:
    """Raises BundleError when the manifest's recipe is no `kind`."""
    try:
        return kind(**manifest.config["recipe"])
    except (KeyError, TypeError, ValueError, UsageError) as error:
        raise BundleError(f"the bundle's recipe is foreign: {error}", "train it again") from None
