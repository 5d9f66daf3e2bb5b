"""Results of `hil bench kernels` and `hil bench firmware` that nobody measured."""

from __future__ import annotations

from dataclasses import replace

from hil.bench.firmware import FirmwareRow
from hil.bench.kernels import KernelRow, NetworkKernels

KERNELS = NetworkKernels(
    "little",
    (
        KernelRow("conv", "hil_conv", 1_000_000, 4_000_000, 1_000_000),
        KernelRow("add", "arm_elementwise_add_s8", 0, 50_000, 50_000),
    ),
    "12.2.1",
)

PLAIN = FirmwareRow(
    scheme="agilenn",
    dataset="digits",
    codec="lzw",
    kernels="plain",
    samples=4,
    graph_cycles=216_000.0,
    quantise_cycles=1_000.0,
    encode_cycles=9_000.0,
    energy_mj=0.5,
    payload_bytes=100.0,
    flash_bytes=30_000,
    constant_bytes=2_000,
    ram_static_bytes=10_000,
    arena_bytes=20_000,
    stack_bytes=8_192,
    stack_peak_bytes=900,
    itcm_bytes=0,
    agreement=1.0,
)
TUNED = replace(
    PLAIN, kernels="tuned", graph_cycles=36_000.0, itcm_bytes=4_000, quantise_cycles=10.0, energy_mj=None
)
