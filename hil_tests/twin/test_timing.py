"""The cycle model: rules of the pipeline, C against Python, caches that follow firmware, repeatability."""

from __future__ import annotations

import ctypes
from pathlib import Path

import pytest

from hil.deploy.toolchain import find_compiler
from hil.errors import ToolchainError, UsageError
from hil.twin import Twin
from hil.twin.timing.calibration import kernels
from hil.twin.timing.calibration.build import build_assembly
from hil.twin.timing.calibration.measure import CACHES_ON, cycles_per_iteration, prepared
from hil.twin.timing.model import Timing
from hil.twin.timing.state import TimingState
from hil_tests.twin.conftest import Boot, words
from hil_tests.twin.test_core import MIXED

pytestmark = pytest.mark.twin

TIMED = [timing for timing in Timing if timing is not Timing.INSTRUCTIONS]

MEMORY = r"""
static const uint32_t table[64] = {1, 2, 3};
static volatile uint8_t bytes[256];
__attribute__((noinline)) uint32_t walk(const uint32_t *p, uint32_t n, uint32_t step) {
    uint32_t sum = 0;
    while (n--) { sum += *p; p += step; }
    return sum;
}
void systick(void) { out[15]++; }
void main(void) {
    FLASH_ACR = 7 | 1 << 8 | 1 << 9;
    REG(0xE000ED14) |= 1 << 16 | 1 << 17;
    SYST_RVR = 4999; SYST_CVR = 0; SYST_CSR = 7;
    for (uint32_t i = 0; i < 40; i++) {
        out[0] += walk((const uint32_t *)0x20010000, 300, 5) + walk(table, 64, 1);
        out[1] += walk((const uint32_t *)0x08000000, 500, 9) + walk((const uint32_t *)0x00200000, 50, 3);
        for (uint32_t j = 0; j < 256; j++) bytes[j] = (uint8_t)(i * j);
        *(volatile uint32_t *)(0x20020000 + 68 * i) = i;
        out[2] += *(volatile uint32_t *)(bytes + i);
    }
    SYST_CSR = 0;
}
"""


def timing_bytes(twin: Twin) -> bytes:
    """The whole state of the model, without pointers and the native table's fill."""
    model = twin._timing
    assert model is not None
    copy = TimingState.from_buffer_copy(model.state)
    copy.core = copy.edges = copy.pool = copy.last = copy.resolve = copy.pool_used = 0
    return ctypes.string_at(ctypes.addressof(copy), ctypes.sizeof(copy))


@pytest.fixture(scope="module")
def kernel_image(tmp_path_factory: pytest.TempPathFactory) -> Path:
    try:
        compiler = find_compiler()
    except ToolchainError as error:
        pytest.skip(str(error))
    return build_assembly(compiler.path, kernels.assembly(), tmp_path_factory.mktemp("kernels"))


@pytest.fixture(scope="module")
def kernel_twin(kernel_image: Path) -> Twin:
    return prepared(kernel_image, Timing.CYCLES)


@pytest.mark.parametrize("kernel", kernels.KERNELS, ids=lambda kernel: kernel.name)
def test_a_micro_kernel_takes_the_cycles_that_were_measured(
    kernel: kernels.Kernel, kernel_twin: Twin
) -> None:
    per_body = (cycles_per_iteration(kernel_twin, kernel.name) - 1) / kernels.REPEATS
    assert per_body == pytest.approx(kernel.cycles, abs=2 / kernels.REPEATS)


@pytest.mark.parametrize("source", [MIXED, MEMORY], ids=["mixed", "memory"])
@pytest.mark.parametrize("timing", TIMED)
def test_native_code_and_python_agree_to_the_last_bit(boot: Boot, timing: Timing, source: str) -> None:
    native, python = (boot(source, timing=timing, native=choice) for choice in (None, False))
    if not native.native:
        pytest.skip(native.fallback_reason)
    for twin in (native, python):
        twin.run(0.003)
    assert native.instructions > 5000
    assert (native.cycles, native.instructions, native.now_s) == (
        python.cycles, python.instructions, python.now_s,
    )  # fmt: skip
    assert native.breakdown == python.breakdown
    assert timing_bytes(native) == timing_bytes(python)
    assert words(native) == words(python)


@pytest.mark.parametrize("timing", TIMED)
def test_two_runs_are_identical(boot: Boot, timing: Timing) -> None:
    first, second = (boot(MEMORY, timing=timing) for _ in range(2))
    for twin in (first, second):
        twin.run(0.02)
    assert (first.cycles, first.now_s, first.breakdown) == (second.cycles, second.now_s, second.breakdown)


def test_addresses_by_formula_are_those_of_the_memory_hook(boot: Boot) -> None:
    formula, hook = (boot(MEMORY, timing=timing) for timing in (Timing.CYCLES, Timing.EXACT))
    for twin in (formula, hook):
        twin.run(0.1)
        assert twin.sleeping
    assert formula.breakdown is not None
    assert hook.breakdown is not None
    assert formula.breakdown.events["load_misses"] > 10_000
    # SysTick's wrapping moves with every cycle, and its handler's stack accesses with it.
    assert formula.cycles == pytest.approx(hook.cycles, rel=0.002)
    found, exact = formula.breakdown.events, hook.breakdown.events
    assert found["load_misses"] == pytest.approx(exact["load_misses"], rel=0.005)


def test_costs_follow_caches_and_wait_states(kernel_image: Path) -> None:
    cycles = {
        (ccr, acr): cycles_per_iteration(prepared(kernel_image, Timing.CYCLES, ccr=ccr, acr=acr), "nop_pairs")
        for ccr, acr in ((CACHES_ON, 7), (0, 7), (0, 0))
    }
    assert cycles[CACHES_ON, 7] == pytest.approx(kernels.REPEATS + 1.5, abs=0.2)
    assert cycles[0, 7] > cycles[0, 0] > 2 * cycles[CACHES_ON, 7]


def test_code_in_ram_that_changes_is_priced_anew(boot: Boot) -> None:
    source = """
        __attribute__((section(".ramcode"), naked, used)) uint32_t ram(void) {
            ASM("nop\\n nop\\n nop\\n nop\\n bx lr"); }
        void main(void) { }
    """
    twin = boot(source, timing=Timing.ISSUE)
    twin.call("ram")
    spent = []
    for code in ("00bf" * 4, "b0fbf1f2" * 2):  # nops; udiv r2, r0, r1
        twin.write(twin.symbol("ram") & ~1, bytes.fromhex(code))
        twin.flush()
        before = twin.cycles
        twin.call("ram")
        spent.append(twin.cycles - before)
    assert spent[1] - spent[0] == pytest.approx(2 * 8 - 2, abs=1)


def test_a_loop_is_predicted_after_its_first_pass(boot: Boot) -> None:
    source = """
        void main(void) { }
        __attribute__((naked)) void loop(uint32_t n) { ASM("1: subs r0, #1\\n bne 1b\\n bx lr"); }
    """
    twin = boot(source, timing=Timing.PIPELINE)
    for count in (100, 100):
        twin.call("loop", count)
    assert twin.breakdown is not None
    # Two exits, and two returns of which the second goes where the first went.
    assert twin.breakdown.events["mispredictions"] == 3


def test_an_unknown_timing_is_refused_with_the_choices(boot: Boot) -> None:
    with pytest.raises(UsageError, match="'fast'"):
        boot("void main(void) {}", timing="fast")
