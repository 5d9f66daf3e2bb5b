"""Every scheme as a point: how long an answer takes, and how often it is right.

Edge-only inference has coarser pictures as well, so that it can be looked at where it is no more accurate
than the others, and AgileNN a coarser payload; neither needs training.
"""

from __future__ import annotations

from hil.experiments import common
from hil.experiments.beside import systems_against_rivals
from hil.experiments.experiment import Chart, Column, Experiment, Variable
from hil.experiments.measures.system import SYSTEM

# Of 256 grey levels 10 are left at 26: on CIFAR-10 edge-only is then as accurate as AgileNN.
_THINNINGS = {"agilenn": (1, 2), "edge_only": (1, 16, 26)}

EXPERIMENT = Experiment(
    name="latency-accuracy",
    question="What does each scheme's accuracy cost in end-to-end latency?",
    paper="Latency 2 to 2.5 times below the offloading rivals', up to 6 at best, at an accuracy on a par.",
    measure=SYSTEM,
    varies=(
        common.SCHEME,
        Variable("thinning", (1, 2, 16, 26), quick=(1, 2, 16), title="every n-th level"),
        Variable("radio", ("wifi-6m", "ble-270k")),
    ),
    fixed={**{name: value for name, value in common.RUN_FIXED.items() if name != "radio"}, "samples": 2000},
    quick={"n": 20, "samples": 200},
    columns=(
        common.SCHEME_COLUMN,
        Column("thinning", "every n-th level", "", 0),
        Column("radio", "radio"),
        common.ACCURACY,
        Column("float_accuracy", "in float", "%", 2),
        Column("agreement", "as on the host", "%", 0),
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
    excluded=lambda settings: settings["thinning"] not in _THINNINGS.get(settings["scheme"], (1,)),
    everywhere=True,
)
