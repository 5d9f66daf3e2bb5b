"""A run of a variant, which is a bundle of a changed recipe, or of a scheme as it is."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from hil import bundle as bundles
from hil.errors import unknown_name
from hil.experiments.measure import Context, Found, Measure, Settings
from hil.experiments.measures import run
from hil.experiments.measures.bundles import bundle_of
from hil.experiments.variants import VARIANTS, variant_bundle, variant_identity
from hil.schemes import registry as schemes


def variant_run(settings: Settings, context: Context) -> Found:
    """`run` for the bundle that `variant` names; a `short` training is done where one is needed.

    One more figure: `prefix_share`, the samples answered from the first channels of their payload.
    """
    found = run.found_in(run.session(_path(settings, context), settings, context), settings)
    prefixes, samples = (float(found.figures[name] or 0) for name in ("prefix_samples", "samples"))
    return Found(
        {**found.figures, "prefix_share": prefixes / samples}, found.sources, found.curves, found.detail
    )


def _path(settings: Settings, context: Context) -> Path:
    name, dataset = settings["variant"], settings["dataset"]
    if name in VARIANTS:
        return variant_bundle(name, dataset, short=settings["short"], data_dir=context.data_dir)
    return _of_scheme(name, dataset)


def _inputs(settings: Settings, context: Context) -> Mapping[str, str]:
    name, dataset = settings["variant"], settings["dataset"]
    if name in VARIANTS:
        return {"bundle": variant_identity(name, dataset, short=settings["short"])}
    return {"bundle": bundles.digest(_of_scheme(name, dataset)).hex()}


def _of_scheme(name: str, dataset: str) -> Path:
    """Raises UsageError for what is neither a variant nor a scheme."""
    if name not in schemes.names():
        raise unknown_name("variant", name, {*VARIANTS, *schemes.names()})
    return bundle_of({"scheme": name, "dataset": dataset})


def _canonical(settings: Settings) -> Settings:
    return {**run.DEFAULTS, **settings}


VARIANT_RUN = Measure("variant-run", variant_run, (*run.RUN.rooms, "training"), _inputs, _canonical)
"""Settings: `variant`, `dataset`, `short`, and those of `run` but `scheme`."""
