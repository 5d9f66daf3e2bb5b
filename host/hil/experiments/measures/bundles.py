"""The bundle that a cell is about."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from hil import bundle as bundles
from hil.errors import UsageError
from hil.experiments.measure import Context, Settings
from hil.experiments.measures.thin import thinned


def bundle_of(settings: Settings) -> Path:
    """The user's own training of `scheme` on `dataset`, else the one that comes with hil.

    With `thinning` only every so manieth level of its payload's quantiser is left. Raises UsageError where
    there is no bundle, and on an unknown name.
    """
    from hil import data
    from hil.schemes import registry
    from hil.zoo.trained import trained

    scheme, dataset = registry.get(settings["scheme"]).name, data.get(settings["dataset"]).name
    if (path := trained(scheme, dataset)) is None:
        raise UsageError(
            f"there is no bundle of {scheme} for {dataset}",
            f"train one: hil train --scheme {scheme} --dataset {dataset}",
        )
    return thinned(path, settings.get("thinning", 1))


def bundle_inputs(settings: Settings, context: Context) -> Mapping[str, str]:
    """The digest of that bundle, for a cell's key."""
    return {"bundle": bundles.digest(bundle_of(settings)).hex()}
