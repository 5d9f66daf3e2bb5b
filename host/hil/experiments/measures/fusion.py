"""AgileNN's answers where the fusion's weight is not the one that training found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from hil.errors import UsageError
from hil.experiments.measure import Context, Found, Measure, Settings
from hil.experiments.measures import trained
from hil.experiments.measures.bundles import bundle_inputs, bundle_of
from hil.experiments.measures.supply import Wanted

REPLACED, TRAINED = "replaced", "trained"


def fusion(settings: Settings, context: Context) -> Found:
    """int8 on the host. Settings: `dataset`, `alpha` (0: as training found it), `samples` (0: all), `how`.

    `how` replaced puts `alpha` into the finished bundle, trained leaves it fixed while both halves are
    trained (`short`, `train`). Raises BundleError, UsageError, DataError, TrainingError.
    """
    from hil import bundle as bundles
    from hil import data
    from hil.deploy.evaluate import evaluate_int8
    from hil.deploy.package import make_graph

    fixed: float = settings["alpha"]
    if not 0 <= fixed < 1:
        raise UsageError(f"an alpha of {fixed}", "below 1; 0 is as training found it")
    bundle = bundles.load(_path(settings, context))
    manifest = replace(bundle.manifest, alpha=fixed or bundle.manifest.alpha)
    split = data.get(manifest.dataset).load("test", context.data_dir)
    split = split.first(settings["samples"]) if settings["samples"] else split
    answers = evaluate_int8(
        replace(bundle, manifest=manifest),
        split.images,
        split.labels,
        graph=make_graph(bundle),
        sizes=False,
        # Those of the float network are not looked at.
        float_predictions=bundle.tensors["record.predictions"][: len(split)],
    )
    return Found(
        {
            "alpha": manifest.alpha,
            "fixed": bool(fixed),
            "accuracy": answers.accuracy,
            "local_accuracy": answers.local_accuracy,
            "skewness": manifest.metrics.get("skewness"),
            "samples": len(split),
        }
    )


def _path(settings: Settings, context: Context) -> Path:
    if _how(settings) == REPLACED:
        return bundle_of(_of_agilenn(settings))
    return _wanted(settings).path(context.data_dir)


def _how(settings: Settings) -> str:
    """Raises UsageError where it is neither."""
    if settings["how"] not in (REPLACED, TRAINED):
        raise UsageError(f"alpha cannot be {settings['how']!r}", f"it is {REPLACED} or {TRAINED}")
    return str(settings["how"])


def _of_agilenn(settings: Settings) -> Settings:
    return {"scheme": "agilenn", "dataset": settings["dataset"]}


def _wanted(settings: Settings) -> Wanted:
    return trained.wanted(settings, {"alpha": settings["alpha"]} if settings["alpha"] else {})


def inputs(settings: Settings, context: Context) -> Mapping[str, str]:
    """The bundle's name. Raises BundleError where there is none."""
    if _how(settings) == REPLACED:
        return bundle_inputs(_of_agilenn(settings), context)
    return {"bundle": _wanted(settings).identity()}


FUSION = Measure("fusion", fusion, trained.ROOMS, inputs, trained.canonical)
