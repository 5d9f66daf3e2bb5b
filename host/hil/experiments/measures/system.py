"""A scheme as a whole: its accuracy on the test split, and the latency and energy of a run."""

from __future__ import annotations

from dataclasses import replace

from hil.experiments.measure import Context, Found, Measure, Settings
from hil.experiments.measures import host, run
from hil.experiments.measures.bundles import bundle_inputs, bundle_of


def system(settings: Settings, context: Context) -> Found:
    """`run`, with `accuracy` of the `samples` that `host` looks at instead of the run's few."""
    found = run.run(settings, context)
    looked_at = host.figures_of(bundle_of(settings), settings, context)
    whole = {name: looked_at[name] for name in ("accuracy", "float_accuracy", "local_accuracy", "samples")}
    of_the_run = {"run_samples": found.figures["samples"], "run_accuracy": found.figures["accuracy"]}
    return replace(found, figures={**found.figures, **of_the_run, **whole})


SYSTEM = Measure(
    "system", system, tuple(sorted({*run.RUN.rooms, *host.HOST.rooms})), bundle_inputs, run.canonical
)
