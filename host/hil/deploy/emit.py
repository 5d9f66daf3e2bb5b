"""The generated `model.c`: constants, one function a layer, and the straight line that calls them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hil.codec.coder import Coder
from hil.deploy.deployment import ExitRule, Fusion
from hil.deploy.emit_layer import emit_layer, identifier
from hil.deploy.graph import Graph
from hil.deploy.plan import CODEC_SCRATCH, PAYLOAD, SYMBOLS, Plan

CODEC_TABLE, EXIT_TABLE = "hil_codec_table", "hil_exit_table"


@dataclass(frozen=True)
class Model:
    """Everything that `model.c` says."""

    graph: Graph
    plan: Plan
    classes: int
    bundle_hash: bytes
    coder: Coder | None
    symbol_of: NDArray[np.uint8] | None
    fusion: Fusion | None
    exit: ExitRule | None = None


def emit(model: Model) -> str:
    """The C source."""
    layers = [emit_layer(model.graph, model.plan, index) for index in range(len(model.graph.ops))]
    return "\n".join([_head(model), *layers, _run(model), _tables(model)])


def _head(model: Model) -> str:
    return f"""\
/* Generated from bundle {model.bundle_hash.hex()[:16]}. One function a layer, one static arena. */
#include "hil_model.h"

#include <stddef.h>

#include "arm_nnfunctions.h"
#include "hil_kernels.h"
#include "hil_wire.h"
#include "stm32f7xx.h"

static uint8_t hil_model_arena[{model.plan.arena_bytes}]
    __attribute__((aligned(8), section(".hil_arena"), used));

#define arena_at(offset) ((void *)(hil_model_arena + (offset)))
"""


def _run(model: Model) -> str:
    calls = "\n".join(
        f"    LAYER({index}, {identifier(index, op)});" for index, op in enumerate(model.graph.ops)
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
    symbols = np.zeros(256, dtype=np.uint8) if model.symbol_of is None else model.symbol_of
    return f"""\
{_codec_table(model)}{_exit_table(model)}const hil_model_t hil_model = {{
    .bundle_hash = {{
        {_rows(model.bundle_hash)}
    }},
    .input_bytes = {model.graph.tensor(model.graph.input).elements},
    .arena_bytes = {model.plan.arena_bytes},
    .payload_capacity = {model.coder.capacity if model.coder else 0},
    .classes = {model.classes},
    .layers = {len(model.graph.ops)},
    .exit = {_exit(model)},
    .fusion = {{
        .local_multiplier = {fusion.local_multiplier},
        .local_zero_point = {fusion.local_zero_point},
        .remote_multiplier = {fusion.remote_multiplier},
    }},
{_payload_format(model)}
    .symbol_of = {{
        {_rows(symbols.tolist())}
    }},
}};

const hil_model_buffers_t hil_model_buffers = {{
    .input = {_pointer(model, model.graph.input)},
    .logits = {_pointer(model, model.graph.logits)},
    .feature = {_pointer(model, model.graph.feature if model.coder else None)},
    .symbols = {_pointer(model, SYMBOLS)},
    .codec_scratch = {_pointer(model, CODEC_SCRATCH)},
    .payload = {_pointer(model, PAYLOAD)},
}};
"""


def _codec_table(model: Model) -> str:
    if model.coder is None or model.coder.table is None:
        return ""
    return _table(CODEC_TABLE, model.coder.table.reshape(-1).tolist())


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


def _rows(values: bytes | list[int]) -> str:
    numbers = [str(value) for value in values]
    return ",\n        ".join(", ".join(numbers[i : i + 16]) for i in range(0, len(numbers), 16)) + ","


def _pointer(model: Model, name: str | None) -> str:
    offset = model.plan.offset(name) if name else None
    return "NULL" if offset is None else f"arena_at({offset})"


def _payload_format(model: Model) -> str:
    if model.coder is None or model.graph.feature is None:
        return "    .payload = {.channels = 0, .codec = HIL_CODEC_NONE},"
    payload = model.coder.form
    feature_channels = model.graph.tensor(model.graph.feature).shape[2]
    return f"""\
    .payload = {{
        .pixels = {payload.height * payload.width},
        .feature_channels = {feature_channels},
        .channel_begin = {payload.channel_begin},
        .channels = {payload.channels},
        .alphabet = {len(payload.centroids)},
        .codec = HIL_CODEC_{model.coder.wire.name},
        .order = HIL_ORDER_{payload.order.upper()},
        .width = {payload.width},
        .table = {"NULL" if model.coder.table is None else CODEC_TABLE},
    }},
    .encode = hil_encode_{model.coder.wire.name.lower()},"""
