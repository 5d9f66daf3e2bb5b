"""A way to train: how it converges, what it ends in, and what a step of it costs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from hil.errors import BundleError, unknown_name
from hil.experiments.measure import Context, Figure, Found, Measure, Settings
from hil.experiments.measures import trained
from hil.experiments.measures.supply import TRAINED_AT_ONCE, Wanted
from hil.measure.source import Source

STANDARD: Final = "mobilenetv2"


@dataclass(frozen=True)
class Way:
    """Changes to the recipe of `scheme`, and which of them concern attribution."""

    title: str
    scheme: str = "agilenn"
    changes: Mapping[str, Any] = field(default_factory=dict)
    attributes: bool = True


_REUSED: Final = {"attribution_reuse": True, "attribution_every": 4}
_NEVER: Final = {"lambda_": 1.0, "attribution_every": 1_000_000}
WAYS: Final[Mapping[str, Way]] = {
    STANDARD: Way("the network without a cut, by cross-entropy", "edge_only", attributes=False),
    "none": Way("cut, by cross-entropy alone", changes=_NEVER, attributes=False),
    "reused": Way("the task's own gradient", changes=_REUSED),
    "saliency": Way("gradient saliency", changes={"attribution": "saliency"}),
    "ig-1": Way("integrated gradients, 1 interval (the paper's)"),
    "ig-2": Way("integrated gradients, 2 intervals", changes={"intervals": 2}),
    "ig-4": Way("integrated gradients, 4 intervals", changes={"intervals": 4}),
    "every-2": Way("at every 2nd step", changes={"attribution_every": 2}),
    "every-4": Way("at every 4th step", changes={"attribution_every": 4}),
    "every-8": Way("at every 8th step", changes={"attribution_every": 8}),
}
_BATCH: Final = 16
"""Of a step that is timed, where the data set is no small one."""


def way_of(settings: Settings) -> Way:
    """Raises UsageError on an unknown way."""
    try:
        return WAYS[settings["way"]]
    except KeyError:
        raise unknown_name("way to train", str(settings["way"]), WAYS) from None


def convergence(settings: Settings, context: Context) -> Found:
    """Settings: `dataset`, `way`, `size` and `rounds` of the timed steps, `short`, `train`.

    Where the bundle is neither there nor to be trained, the step's time is all there is.
    """
    way = way_of(settings)
    try:
        found = trained.found_in(_wanted(settings).path(context.data_dir), context)
    except BundleError:
        found = Found({})
    times = _times(way, settings)
    sources = dict.fromkeys((name for name in times if name != "batch"), Source.MEASURED_HOST.value)
    figures = {"title": way.title, **times, **found.figures}
    return replace(found, figures=figures, sources={**found.sources, **sources})


def _times(way: Way, settings: Settings) -> dict[str, Figure]:
    from hil import data
    from hil.experiments.measures.step_time import step_time

    dataset = data.get(settings["dataset"])
    batch = 0 if dataset.name in TRAINED_AT_ONCE else _BATCH
    changes = way.changes if way.attributes else None
    taken = step_time(dataset, changes, settings["size"], batch, settings["rounds"])
    own = taken.standard_ms if way.scheme == "edge_only" else taken.own_ms
    return {
        "step_ms": own,
        "over_standard": own / taken.standard_ms,
        "over_cut": own / taken.cut_ms,
        "batch": taken.batch,
    }


def _wanted(settings: Settings) -> Wanted:
    way = way_of(settings)
    return trained.wanted(settings, way.changes, way.scheme)


def inputs(settings: Settings, context: Context) -> Mapping[str, str]:
    """The bundle, where there is one."""
    try:
        return {"bundle": _wanted(settings).identity()}
    except BundleError:
        return {"bundle": "none"}


CONVERGENCE = Measure("convergence", convergence, trained.ROOMS, inputs, trained.canonical, alone=True)
