"""A run over a link that loses: by chance, in bursts, or everything for a while."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from hil.experiments.measure import Context, Found, Measure, Settings
from hil.experiments.measures import run
from hil.experiments.measures.bundles import bundle_inputs
from hil.link.parse import with_settings

NO_OUTAGE = "none"
_OF_THE_LINK = ("loss", "burst", "outage")


def lossy(settings: Settings, context: Context) -> Found:
    """`run`; the radio's losses are `loss`, `burst` (0: each by chance) and `outage` (or none).

    One more figure: `retransmissions` of a sample.
    """
    found = run.run(as_run(settings), context)
    repeats, samples = (float(found.figures[name] or 0) for name in ("radio_retransmissions", "samples"))
    return replace(found, figures={**found.figures, "retransmissions": repeats / samples})


def as_run(settings: Settings) -> dict[str, Any]:
    """The settings of `run` that these are."""
    given = {
        "loss": f"{settings['loss']:g}" if settings["loss"] else "",
        "burst": f"{settings['burst']:g}" if settings["loss"] and settings["burst"] else "",
        "outage": "" if settings["outage"] == NO_OUTAGE else settings["outage"],
    }
    said = {name: value for name, value in given.items() if value}
    others = {name: value for name, value in settings.items() if name not in _OF_THE_LINK}
    return {**others, "radio": with_settings(settings["radio"], said)}


def canonical(settings: Settings) -> Settings:
    """Those of the run: no bursts where nothing is lost, and no losses where nothing is sent."""
    return run.canonical(as_run(settings))


LOSSY = Measure("lossy", lossy, run.RUN.rooms, bundle_inputs, canonical)
"""Settings: `loss`, `burst`, `outage`, and those of `run`."""
