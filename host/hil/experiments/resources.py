"""What each scheme takes of the device: energy, RAM, flash, cycles."""

from __future__ import annotations

from hil.experiments import common
from hil.experiments.beside import resources_against_rivals
from hil.experiments.experiment import Chart, Column, Experiment
from hil.experiments.measures.run import RUN

EXPERIMENT = Experiment(
    name="resources",
    question="What does one inference take of the device: energy, RAM, flash, cycles?",
    paper="More than 8 times lower local resource use than the rivals'.",
    measure=RUN,
    varies=(common.SCHEME,),
    fixed=common.RUN_FIXED,
    quick={"n": 20},
    columns=(
        common.SCHEME_COLUMN,
        common.ENERGY,
        Column("energy_cpu_mj", "core", "mJ", 3),
        Column("energy_radio_mj", "radio", "mJ", 2),
        Column("busy_cycles", "cycles", "", 0),
        common.PARTS[0],
        Column("ram_bytes", "RAM", "B", 0),
        Column("arena_bytes", "of it arenas", "B", 0),
        Column("flash_bytes", "flash", "B", 0),
        common.ACCURACY,
    ),
    charts=(
        Chart("Energy of one inference", "scheme", "energy_mj", kind="bars"),
        Chart("Cycles on the device", "scheme", "busy_cycles", kind="bars"),
        Chart("RAM", "scheme", "ram_bytes", kind="bars"),
        Chart("Flash", "scheme", "flash_bytes", kind="bars"),
    ),
    beside=resources_against_rivals,
)
