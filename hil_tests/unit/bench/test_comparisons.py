"""Plain against tuned: sums, ratios, and the forms they are printed in."""

from __future__ import annotations

import io

import pytest
from rich.console import Console, RenderableType

from hil.bench import firmware, kernels
from hil.report.bench_firmware import firmware_markdown, firmware_table
from hil.report.bench_kernels import kernels_markdown, kernels_table
from hil_tests.unit.bench.comparisons import KERNELS, PLAIN, TUNED


def _text(view: RenderableType) -> str:
    console = Console(file=io.StringIO(), width=120)
    console.print(view)
    return console.file.getvalue()  # type: ignore[attr-defined]


def test_a_network_is_the_sum_of_its_layers() -> None:
    total = KERNELS.total
    assert (total.macs, total.plain_cycles, total.cycles) == (1_000_000, 4_050_000, 1_050_000)
    assert total.ratio == pytest.approx(4.05 / 1.05)


def test_rates_are_of_layers_that_multiply() -> None:
    values = kernels.as_values(KERNELS)
    assert [row["macs_per_cycle"] for row in values["rows"]] == [1.0, None]
    assert [row["plain_macs_per_cycle"] for row in values["rows"]] == [0.25, None]
    assert values["source"] == "twin_cycles"


def test_layers_are_printed_with_both_sides() -> None:
    for text in (_text(kernels_table(KERNELS)), kernels_markdown(KERNELS)):
        assert "4,000,000" in text
        assert "hil_conv" in text
        assert "3.86" in text
        assert "GCC 12.2.1" in text


def test_a_firmware_is_the_sum_of_its_parts() -> None:
    assert PLAIN.cycles == 226_000
    assert PLAIN.milliseconds == pytest.approx(226 / 216)
    assert PLAIN.program_bytes == 28_000
    assert PLAIN.ram_bytes == 38_192


def test_ratios_are_of_what_both_have() -> None:
    shares = firmware.ratios(PLAIN, TUNED)
    assert shares["cycles"] == pytest.approx(226_000 / 45_010)
    assert shares["energy_mj"] is None
    assert shares["arena_bytes"] == 1.0
    assert shares["ram_bytes"] == pytest.approx(38_192 / 42_192)
    assert "quantise_cycles" not in shares


def test_firmwares_are_printed_side_by_side() -> None:
    for text in (_text(firmware_table([PLAIN, TUNED])), firmware_markdown([PLAIN, TUNED])):
        assert "226,000" in text
        assert "5.02" in text
        assert "CMSIS-NN, lzw" in text
        assert "agilenn on digits; mean of 4 inferences" in text
