"""Every experiment by its name."""

from __future__ import annotations

from hil.errors import unknown_name
from hil.experiments import bandwidth, compression, cpu_frequency, latency_accuracy, resources, scale
from hil.experiments.experiment import Experiment

EXPERIMENTS: tuple[Experiment, ...] = (
    resources.EXPERIMENT,
    latency_accuracy.EXPERIMENT,
    compression.EXPERIMENT,
    bandwidth.EXPERIMENT,
    cpu_frequency.EXPERIMENT,
    scale.EXPERIMENT,
)
"""In the order of the paper's evaluation, ours behind them."""


def names() -> tuple[str, ...]:
    return tuple(experiment.name for experiment in EXPERIMENTS)


def get(name: str) -> Experiment:
    """Raises UsageError on an unknown name."""
    for experiment in EXPERIMENTS:
        if experiment.name == name:
            return experiment
    raise unknown_name("experiment", name, (*names(), "all", "list"))
