"""Every experiment by its name."""

from __future__ import annotations

from hil.errors import unknown_name
from hil.experiments import (
    alpha,
    bandwidth,
    compression,
    convergence,
    cpu_frequency,
    deadline,
    latency_accuracy,
    link_loss,
    resources,
    scale,
    skewness,
    xai,
)
from hil.experiments.experiment import Experiment

EXPERIMENTS: tuple[Experiment, ...] = (
    convergence.EXPERIMENT,
    resources.EXPERIMENT,
    latency_accuracy.EXPERIMENT,
    compression.EXPERIMENT,
    alpha.EXPERIMENT,
    skewness.EXPERIMENT,
    bandwidth.EXPERIMENT,
    cpu_frequency.EXPERIMENT,
    xai.EXPERIMENT,
    link_loss.EXPERIMENT,
    deadline.EXPERIMENT,
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
