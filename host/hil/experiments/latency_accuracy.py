"""Every scheme as a point: how long an answer takes, and how often it is right."""

from __future__ import annotations

from hil.experiments import common
from hil.experiments.beside import systems_against_rivals
from hil.experiments.experiment import Chart, Column, Experiment, Variable
from hil.experiments.measures.system import SYSTEM

EXPERIMENT = Experiment(
    name="latency-accuracy",
    question="What does each scheme's accuracy cost in end-to-end latency?",
    paper="Latency 2 to 2.5 times below the offloading rivals', up to 6 at best, at an accuracy on a par.",
    measure=SYSTEM,
    varies=(common.SCHEME, Variable("radio", ("wifi-6m", "ble-270k"))),
    fixed={**{name: value for name, value in common.RUN_FIXED.items() if name != "radio"}, "samples": 2000},
    quick={"n": 20, "samples": 200},
    columns=(
        common.SCHEME_COLUMN,
        Column("radio", "radio"),
        common.ACCURACY,
        common.LATENCY,
        Column("latency_p95_ms", "p95", "ms", 2),
        *common.PARTS,
        common.PAYLOAD,
        common.ENERGY,
    ),
    charts=(
        Chart("Accuracy against latency", "latency_mean_ms", "accuracy", "scheme", "scatter", log_x=True),
        Chart("Accuracy against energy", "energy_mj", "accuracy", "scheme", "scatter", log_x=True),
    ),
    beside=systems_against_rivals,
    everywhere=True,
)
