"""The generated `model.c`: constants, one function a layer, and the straight line that calls them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from hil.deploy.cost import macs
from hil.deploy.deployment import ExitRule, Fusion
from hil.deploy.kernels.text import shape_text
from hil.deploy.plan import Plan, Region, scratch_name
from hil.deploy.program import (
    CODEC_SCRATCH,
    PAYLOAD,
    SYMBOLS,
    Code,
    DeviceHalf,
    Program,
    Sends,
    Site,
    Step,
    identifier,
    step_title,
)
from hil.wire.protocol import CHUNK_MAX

ARENAS = {Region.DTCM: "hil_model_arena_dtcm", Region.SRAM: "hil_model_arena"}
"""The C names; their sections end alike."""

SPANS_MIN = 8
"""So that smaller chunks may change places, too."""

CODEC_TABLE, EXIT_TABLE = "hil_codec_table", "hil_exit_table"

INCLUDES = """\
#include "hil_model.h"

#include <stddef.h>
#include <string.h>

#include "arm_nnfunctions.h"
#include "hil_coder.h"
#include "hil_dsp.h"
#include "hil_kernels.h"
#include "hil_requantise.h"
#include "hil_rows.h"
#include "hil_wire.h"
#include "quantise.h"
#include "stm32f7xx.h"
"""
"""What the code of steps may use."""


@dataclass(frozen=True)
class Model:
    """Everything that `model.c` says."""

    program: Program
    plan: Plan
    classes: int
    bundle_hash: bytes
    fusion: Fusion | None
    exit: ExitRule | None = None

    @property
    def half(self) -> DeviceHalf:
        """What the program computes."""
        return self.program.half


def emit(model: Model) -> str:
    """The C source."""
    layers = [_layer(model, index) for index in range(len(model.program.steps))]
    return "\n".join([_head(model), *layers, _run(model), _tables(model)])


def itcm_script(program: Program, steps: Sequence[int]) -> str:
    """What the link script takes into ITCM RAM: all functions of `steps`, by number."""
    names = (identifier(program, index) for index in steps)
    return "".join(f"*(.text.{name} .text.{name}_* .text.{name}.*)\n" for name in names)


def _layer(model: Model, index: int) -> str:
    """What step `index` needs, and the static function that runs it."""
    program, step = model.program, model.program.steps[index]
    name, ops = identifier(program, index), program.ops(step)
    places = {buffer: _place(model, buffer) for buffer in model.plan.offsets}
    site = Site(model.half, ops, name, places, places.get(scratch_name(index), "NULL"))
    return step_function(step.kernel.emit(site), name, _summary(program, step))


def step_function(code: Code, name: str, summary: str) -> str:
    """The C of one step: a static function `name` behind what it needs.

    It is a function of its own in the image too: that is how it was timed, and how it gets a place.
    """
    lines = "\n".join(f"    {line}" if line else "" for line in code.body)
    head = f"/* {summary} */\nstatic __attribute__((noinline)) arm_cmsis_nn_status {name}(void)"
    return f"{code.before}{head}\n{{\n{lines}\n}}\n"


def _summary(program: Program, step: Step) -> str:
    graph, ops = program.half.graph, program.ops(step)
    before = " + ".join(shape_text(graph.tensor(name).shape) for op in ops[:1] for name in op.inputs)
    count = sum(macs(graph, op) for op in ops)
    work = f", {count:,} MACs" if count else ""
    return f"{step_title(program, step)}: {before} -> {shape_text(graph.tensor(ops[-1].output).shape)}{work}"


def _head(model: Model) -> str:
    return f"""\
/* Generated from bundle {model.bundle_hash.hex()[:16]}. One function a layer, static arenas. */
{INCLUDES}
{_arenas(model)}{_payload_state(model)}"""


def _arenas(model: Model) -> str:
    return "\n".join(
        f"""\
static uint8_t {ARENAS[region]}[{arena.arena_bytes}]
    __attribute__((aligned(8), section(".{ARENAS[region].replace("_model", "")}"), used));

#define {region.value}_at(offset) ((void *)({ARENAS[region]} + (offset)))
"""
        for region, arena in model.plan.arenas.items()
        if arena.arena_bytes
    )


def _place(model: Model, name: str) -> str:
    return f"{model.plan.region(name).value}_at({model.plan.offsets[name]})"


def _run(model: Model) -> str:
    calls = "\n".join(
        f"    LAYER({index}, {identifier(model.program, index)});"
        for index in range(len(model.program.steps))
    )
    return f"""\
#define LAYER(index, function)                                                                     \\
    do {{                                                                                           \\
        if (function() != ARM_CMSIS_NN_SUCCESS) {{                                                  \\
            return 1 + (index);                                                                    \\
        }}                                                                                          \\
        if (layer_cycles != NULL) {{                                                                \\
            const uint32_t now = DWT->CYCCNT;                                                      \\
            layer_cycles[index] = now - mark;                                                      \\
            mark = now;                                                                            \\
        }}                                                                                          \\
    }} while (0)

int hil_model_run(uint32_t *layer_cycles)
{{
    uint32_t mark = DWT->CYCCNT;

{calls}
    (void)mark;
    (void)layer_cycles; /* a graph without layers only hands its input on */
    return 0;
}}
"""


def _tables(model: Model) -> str:
    fusion = model.fusion or Fusion(0, 0, 0)
    return f"""\
{codec_table(model.half)}{_exit_table(model)}{_pack(model)}{_variables(model)}
const hil_model_t hil_model = {{
    .bundle_hash = {{
        {_rows(model.bundle_hash)}
    }},
    .input_bytes = {model.half.graph.tensor(model.half.graph.input).elements},
    .arena_bytes = {model.plan.arena_bytes},
    .payload_capacity = {model.half.coder.capacity if model.half.coder else 0},
    .classes = {model.classes},
    .layers = {len(model.program.steps)},
    .exit = {_exit(model)},
    .fusion = {{
        .local_multiplier = {fusion.local_multiplier},
        .local_zero_point = {fusion.local_zero_point},
        .remote_multiplier = {fusion.remote_multiplier},
    }},
{payload_format(model.half)}
    .pack = {"pack" if model.half.feature else "NULL"},
    .coverage = {{spans, {_spans(model)}}},
}};

const hil_model_buffers_t hil_model_buffers = {{
    .input = {_pointer(model, model.half.graph.input)},
    .logits = {_pointer(model, model.half.graph.logits)},
    .payload = {_pointer(model, PAYLOAD)},
    .reply = {"reply" if model.half.coder else "NULL"},
    .layer_cycles = layer_cycles,
}};
"""


def _variables(model: Model) -> str:
    """What the firmware needs besides the arenas, as large as this model makes it."""
    reply = f"static int32_t reply[{model.classes}];\n" if model.half.coder else ""
    return f"""\
static hil_span_t spans[{_spans(model)}];
{reply}static uint32_t layer_cycles[{max(1, len(model.program.steps))}];
"""


def _spans(model: Model) -> int:
    """As many as there can be between chunks of the greatest length, whatever their order."""
    chunks = -(-model.half.graph.tensor(model.half.graph.input).elements // CHUNK_MAX)
    return max(SPANS_MIN, -(-chunks // 2))


def codec_table(half: DeviceHalf) -> str:
    """What the codec knows beforehand, where it knows anything."""
    if half.coder is None or half.coder.table is None:
        return ""
    return _table(CODEC_TABLE, half.coder.table.reshape(-1).tolist())


def _exit_table(model: Model) -> str:
    return "" if model.exit is None else _table(EXIT_TABLE, model.exit.exponentials.tolist())


def _exit(model: Model) -> str:
    return "{NULL, 0}" if model.exit is None else f"{{{EXIT_TABLE}, {model.exit.limit}U}}"


def _table(name: str, words: list[int]) -> str:
    return f"""\
static const uint32_t {name}[{len(words)}] = {{
    {_rows(words)}
}};

"""


def _rows(values: bytes | list[int], indent: int = 8) -> str:
    numbers = [str(value) for value in values]
    return (",\n" + " " * indent).join(
        ", ".join(numbers[i : i + 16]) for i in range(0, len(numbers), 16)
    ) + ","


def _pointer(model: Model, name: str | None) -> str:
    return _place(model, name) if name in model.plan.offsets else "NULL"


def _payload_state(model: Model) -> str:
    progress = "\nvoid (*hil_model_progress)(uint32_t settled_bytes);\n"
    return progress + ("static int32_t payload_bytes;\n" if model.program.sends is Sends.PAYLOAD else "")


def _pack(model: Model) -> str:
    """The function that quantises and encodes, unless nothing is sent."""
    half = model.half
    if half.coder is None or half.feature is None:
        return ""
    if model.program.sends is Sends.PAYLOAD:
        return """\
static int32_t pack(uint32_t *quantised)
{
    *quantised = DWT->CYCCNT; /* both happened on the way */
    return payload_bytes;
}

"""
    symbols, scratch = _pointer(model, SYMBOLS), _pointer(model, CODEC_SCRATCH)
    table, quantise = ("", "") if model.program.sends is Sends.SYMBOLS else _quantise(model, symbols)
    return f"""\
{table}static int32_t pack(uint32_t *quantised)
{{
{quantise}    *quantised = DWT->CYCCNT;
    return hil_encode_{half.coder.wire.name.lower()}(&hil_model.payload, {symbols}, {scratch},
        {_pointer(model, PAYLOAD)}, {half.coder.capacity});
}}

"""


def _quantise(model: Model, symbols: str) -> tuple[str, str]:
    """The table, and the call that uses it."""
    symbol_of = model.half.symbol_of
    entries = np.zeros(256, dtype=np.uint8) if symbol_of is None else symbol_of
    feature = _pointer(model, model.half.feature)
    return (
        "/* Centroid index of the int8 feature v, at v + 128. */\n"
        f"static const uint8_t symbol_of[256] = {{\n    {_rows(entries.tolist(), 4)}\n}};\n\n",
        f"    hil_quantise({feature}, &hil_model.payload, symbol_of, {symbols});\n",
    )


def payload_format(half: DeviceHalf) -> str:
    """The member `payload` of `hil_model`."""
    if half.coder is None or half.feature is None:
        return "    .payload = {.channels = 0, .codec = HIL_CODEC_NONE},"
    payload = half.coder.form
    feature_channels = half.graph.tensor(half.feature).shape[2]
    return f"""\
    .payload = {{
        .pixels = {payload.height * payload.width},
        .feature_channels = {feature_channels},
        .channel_begin = {payload.channel_begin},
        .channels = {payload.channels},
        .alphabet = {len(payload.centroids)},
        .codec = HIL_CODEC_{half.coder.wire.name},
        .order = HIL_ORDER_{payload.order.upper()},
        .width = {payload.width},
        .table = {"NULL" if half.coder.table is None else CODEC_TABLE},
    }},"""
