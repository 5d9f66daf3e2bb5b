"""The core's clock: what a slower one costs in time, and saves in energy."""

from __future__ import annotations

from hil.experiments import common
from hil.experiments.beside import latency_against_rivals
from hil.experiments.experiment import Chart, Column, Experiment, Variable
from hil.experiments.measures.run import RUN

EXPERIMENT = Experiment(
    name="cpu-frequency",
    question="How do latency and energy follow the core's clock?",
    paper="CPU frequency: the less a scheme computes on the device, the less a slow core costs it.",
    measure=RUN,
    varies=(
        common.SCHEME,
        Variable("clock_mhz", (60, 84, 108, 144, 180, 216), quick=(60, 108, 216), title="clock"),
    ),
    fixed={name: value for name, value in common.RUN_FIXED.items() if name != "clock_mhz"},
    quick={"n": 20},
    columns=(
        common.SCHEME_COLUMN,
        Column("clock_mhz", "clock", "MHz", 0),
        common.LATENCY,
        *common.PARTS,
        common.ENERGY,
        Column("energy_cpu_mj", "of it the core", "mJ", 2),
    ),
    charts=(
        Chart("Latency", "clock_mhz", "latency_mean_ms", "scheme"),
        Chart("Energy", "clock_mhz", "energy_mj", "scheme"),
    ),
    beside=latency_against_rivals("clock_mhz", "MHz"),
)
