"""Many devices on one server: what each of them still sees of it."""

from __future__ import annotations

from hil.experiments import common
from hil.experiments.experiment import Chart, Column, Experiment, Variable
from hil.experiments.measures.serve import SERVE

EXPERIMENT = Experiment(
    name="scale",
    question="How many devices does one server answer, and how soon?",
    paper="nothing: the paper has one device and one server.",
    measure=SERVE,
    varies=(Variable("devices", (1, 3, 10, 30, 100, 300, 1000), quick=(1, 10, 100)),),
    fixed={"scheme": common.OURS, "per_device_per_s": 2.0, "seconds": 10.0},
    quick={"seconds": 2.0},
    columns=(
        Column("devices", "devices", digits=0),
        Column("offered_per_s", "asked", "1/s", 0),
        Column("throughput_per_s", "answered", "1/s", 0),
        Column("share_of_bare", "of the bare forward pass", "%", 0),
        Column("p50_ms", "p50", "ms", 1),
        Column("p99_ms", "p99", "ms", 1),
        Column("batch_mean", "batch", digits=1),
        Column("answered", "answered", "%", 1),
        Column("busy", "busy", "%", 1),
        Column("memory_mb", "server memory", "MB", 0),
    ),
    charts=(
        Chart("Latency, median", "devices", "p50_ms", log_x=True),
        Chart("Latency, 99th percentile", "devices", "p99_ms", log_x=True),
        Chart("Throughput", "devices", "throughput_per_s", log_x=True),
    ),
)
