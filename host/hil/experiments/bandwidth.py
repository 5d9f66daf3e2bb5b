"""The link's bandwidth: from the paper's narrow-band point to beyond its WiFi."""

from __future__ import annotations

from hil.experiments import common
from hil.experiments.beside import latency_against_rivals
from hil.experiments.experiment import Chart, Column, Experiment, Variable
from hil.experiments.measures.run import RUN

EXPERIMENT = Experiment(
    name="bandwidth",
    question="How does each scheme's end-to-end latency follow the link's bandwidth?",
    paper="270 kbit/s to 6 Mbit/s: AgileNN's lead over the offloading rivals grows as the link narrows.",
    measure=RUN,
    varies=(
        common.SCHEME,
        Variable(
            "bandwidth_kbps",
            (270, 500, 1000, 2000, 3000, 6000, 12_000, 24_000),
            quick=(270, 1000, 6000, 24_000),
            title="bandwidth",
        ),
    ),
    fixed=common.RUN_FIXED,
    quick={"n": 20},
    columns=(
        common.SCHEME_COLUMN,
        Column("bandwidth_kbps", "bandwidth", "kbit/s", 0),
        common.LATENCY,
        *common.PARTS,
        common.PAYLOAD,
        common.ENERGY,
    ),
    charts=(
        Chart("Latency", "bandwidth_kbps", "latency_mean_ms", "scheme", log_x=True),
        Chart("Energy", "bandwidth_kbps", "energy_mj", "scheme", log_x=True),
    ),
    beside=latency_against_rivals("bandwidth_kbps", "kbit/s"),
)
