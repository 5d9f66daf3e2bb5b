"""What follows the graph where no step sends: the firmware's quantiser and encoder, alone."""

from __future__ import annotations

from hil.deploy.emit import Model, emit
from hil.deploy.graph import Graph
from hil.deploy.plan import Plan, buffers_of, plan
from hil.deploy.program import DeviceHalf, Program

PREFIX, SECTION = "tail_", ".hil_tail_arena"
RENAMED = (
    "hil_model_run",
    "hil_model_buffers",
    "hil_model_arena",
    "hil_model_progress",
    "hil_model",
    "sram_at",
    "pack",
)


def tail_half(half: DeviceHalf) -> DeviceHalf | None:
    """A graph without ops, whose input is the feature map; None where nothing is quantised."""
    if half.coder is None or half.feature is None:
        return None
    feature = half.graph.tensor(half.feature)
    graph = Graph({feature.name: feature}, (), feature.name, None, feature.name)
    return DeviceHalf(graph, half.coder, half.symbol_of)


def tail_plan(half: DeviceHalf) -> Plan:
    """Where feature map, symbols, scratch and payload lie."""
    return plan(buffers_of(Program(half, ())))


def tail_source(half: DeviceHalf) -> str:
    """`model.c` of a `tail_half`, every name of it with `PREFIX`, and `tail_run`."""
    renames = "".join(f"#define {name} {PREFIX}{name}\n" for name in RENAMED)
    text = emit(Model(Program(half, ()), tail_plan(half), 1, bytes(32), None))
    text = text.replace('".hil_arena"', f'"{SECTION}"')
    return f"""\
{renames}{text}
int32_t tail_run(uint32_t *quantise_cycles)
{{
    const uint32_t begun = DWT->CYCCNT;
    uint32_t quantised;
    const int32_t bytes = hil_model.pack(&quantised);
    *quantise_cycles = quantised - begun;
    return bytes;
}}
"""
