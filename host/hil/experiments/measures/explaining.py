"""A way to attribute: what it says of a finished bundle, and what a network that was trained by it became."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from hil.errors import UsageError, unknown_name
from hil.experiments.measure import Context, Figure, Found, Measure, Settings
from hil.experiments.measures import trained
from hil.experiments.measures.bundles import bundle_inputs, bundle_of
from hil.experiments.measures.convergence import WAYS
from hil.experiments.measures.supply import Wanted
from hil.measure.source import Source

FINISHED, TRAINED = "finished", "trained"
_TIMES: Final = ("sample_ms", "over_saliency", "step_ms", "over_cut")


def explaining(settings: Settings, context: Context) -> Found:
    """Settings: `dataset`, `network`, `method`, `samples`, `rounds`, `short`, `train`.

    `network` finished: what the method says of the first `samples` test images, by the deployed system of
    the bundle that is there (`attributions`). Trained: a training whose attribution losses use the method.
    Raises UsageError, BundleError, DataError, TrainingError.
    """
    found = _said(settings, context) if _network(settings) == FINISHED else _trained(settings, context)
    sources = {name: Source.MEASURED_HOST.value for name in _TIMES if name in found.figures}
    return replace(found, sources={**found.sources, **sources})


def _said(settings: Settings, context: Context) -> Found:
    from hil import bundle as bundles
    from hil import data
    from hil.experiments.measures import attributions
    from hil.experiments.measures.step_time import one_thread

    bundle = bundles.load(bundle_of(_of_agilenn(settings)))
    split = data.get(bundle.manifest.dataset).load("test", context.data_dir).first(settings["samples"])
    judge, method = attributions.Finished(bundle), settings["method"]
    if method not in (known := attributions.ways(judge)):
        raise unknown_name("way to attribute", method, known)
    with one_thread():
        said, cost = attributions.said(method, judge, split), attributions.cost(method, judge, split)
    figures: dict[str, Figure] = {
        "samples": said.samples,
        "skewness": said.skewness,
        "skewness_any": said.skewness_any,
        "disorder": said.disorder,
        "rank_correlation": said.rank_correlation,
        "top_agreement": said.top_agreement,
        "completeness_gap": said.completeness_gap,
        "judge_accuracy": said.judge_accuracy,
        "sample_ms": cost.own_ms,
        "over_saliency": cost.own_ms / cost.saliency_ms,
    }
    curves = {"importance": list(said.by_channel), "importance_finest": list(said.by_channel_finest)}
    return Found(figures, curves=curves)


def _trained(settings: Settings, context: Context) -> Found:
    from hil import data
    from hil.experiments.measures.step_time import step_time

    found = trained.found_in(_wanted(settings).path(context.data_dir), context)
    changes = WAYS[settings["method"]].changes
    taken = step_time(data.get(settings["dataset"]), changes, "full", 0, settings["rounds"])
    times = {"step_ms": taken.own_ms, "over_cut": taken.own_ms / taken.cut_ms}
    return replace(found, figures={**found.figures, **times})


def _network(settings: Settings) -> str:
    """Raises UsageError where it is neither."""
    if settings["network"] not in (FINISHED, TRAINED):
        raise UsageError(f"no network is {settings['network']!r}", f"it is {FINISHED} or {TRAINED}")
    return str(settings["network"])


def _of_agilenn(settings: Settings) -> Settings:
    return {"scheme": "agilenn", "dataset": settings["dataset"]}


def _wanted(settings: Settings) -> Wanted:
    if settings["method"] not in WAYS:
        raise unknown_name("way to attribute", str(settings["method"]), WAYS)
    return trained.wanted(settings, WAYS[settings["method"]].changes)


def inputs(settings: Settings, context: Context) -> Mapping[str, str]:
    """The bundle's name. Raises BundleError where there is none."""
    if _network(settings) == FINISHED:
        return bundle_inputs(_of_agilenn(settings), context)
    return {"bundle": _wanted(settings).identity()}


EXPLAINING = Measure("explaining", explaining, trained.ROOMS, inputs, trained.canonical, alone=True)
