"""The core: boots, counts, keeps virtual time, calls functions."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hil.errors import BoardError
from hil.twin import StopReason, Twin, load_image
from hil.twin.block_decode import decode_block
from hil.twin.clock import CYCLES_PER_INSTRUCTION, Clock, to_fs, to_s
from hil.twin.state import CoreState
from hil_tests.twin.conftest import Boot, words

pytestmark = pytest.mark.twin

MIXED = r"""
static volatile float f = 1.0f;
__attribute__((section(".ramcode"), noinline, long_call)) uint32_t in_ram(uint32_t n) {
    uint32_t sum = 0;
    while (n--) sum += n ^ sum << 1;
    return sum;
}
void systick(void) { out[0]++; f += 1.0f; }
void main(void) {
    SYST_RVR = 999; SYST_CVR = 0; SYST_CSR = 7;
    for (uint32_t i = 0; i < 200; i++) { f *= 1.5f; out[1] += in_ram(i); if (i % 20 == 0) WFI(); }
    SYST_CSR = 0;
    out[2] = (uint32_t)f;
}
"""


def test_a_program_boots_from_its_vector_table_with_variables_and_stack(boot: Boot) -> None:
    twin = boot("static uint32_t value = 42; void main(void) { out[0] = value++; out[1] = value; }")
    twin.run(0.001)
    assert words(twin)[:2] == [42, 43]
    assert twin.sleeping


def test_a_raw_binary_boots_like_the_elf_it_was_made_from(boot: Boot, tmp_path) -> None:  # type: ignore[no-untyped-def]
    elf = boot("void main(void) { out[0] = 7; }")
    binary = tmp_path / "flash.bin"
    binary.write_bytes(elf.read(0x0800_0000, 4096))
    twin = Twin(load_image(binary))
    twin.run(0.001)
    assert twin.read(elf.symbol("out"), 4) == b"\x07\0\0\0"


def test_two_runs_give_identical_counts(boot: Boot) -> None:
    runs = [boot(MIXED) for _ in range(2)]
    for twin in runs:
        twin.run(0.01)
    assert len({(t.instructions, t.cycles, t.now_s, *words(t)) for t in runs}) == 1


def test_the_native_hook_and_the_python_hook_count_the_same(boot: Boot) -> None:
    native, python = boot(MIXED), boot(MIXED, native=False)
    if not native.native:
        pytest.skip(native.fallback_reason)
    native.run(0.01)
    python.run(0.01)
    assert not python.native
    assert (native.instructions, native.cycles) == (python.instructions, python.cycles)
    assert words(native) == words(python)


def test_the_fallback_to_python_is_recorded(boot: Boot) -> None:
    assert boot("void main(void) {}", native=False).fallback_reason == "asked for"


def test_a_loop_counts_every_instruction(boot: Boot) -> None:
    source = """
        void main(void) { }
        __attribute__((naked)) void loop(uint32_t n) { ASM("1: subs r0, #1\\n nop.w\\n bne 1b\\n bx lr"); }
    """
    twin = boot(source)
    twin.call("loop", 1000)
    assert twin.instructions == 3 * 1000 + 1
    assert twin.cycles == int(twin.instructions * CYCLES_PER_INSTRUCTION)


def test_wide_and_narrow_instructions_are_told_apart() -> None:
    nop, nop_w, vadd = "00bf", "aff30080", "30ee200a"
    code = bytes.fromhex(nop + nop_w + vadd + nop)
    assert decode_block(code) == (4, 1)


def test_a_call_takes_arguments_in_registers_and_on_the_stack(boot: Boot) -> None:
    source = """
        static uint32_t base = 1000, calls;
        __attribute__((used, noinline)) uint32_t sum(uint32_t a, uint32_t b, uint32_t c, uint32_t d,
            uint32_t e, int32_t f)
        { calls++; return base + a + 2 * b + 4 * c + 8 * d + 16 * e + (uint32_t)f + calls; }
        __attribute__((used)) float half(int32_t x) { return (float)x * 0.5f; }
        void main(void) { }
    """
    twin = boot(source)
    assert twin.call("sum", 1, 1, 1, 1, 1, -1) == 1000 + 31 - 1 + 1
    assert twin.call("sum", 0, 0, 0, 0, 0, 0) == 1000 + 2, "variables live on between calls"
    twin.call("half", 3)


def test_a_call_that_does_not_return_is_stopped_by_its_budget(boot: Boot) -> None:
    twin = boot('void main(void) {} void spin(void) { for (;;) ASM("nop"); }')
    with pytest.raises(BoardError, match="did not return"):
        twin.call("spin", budget_instructions=10_000)
    assert 10_000 <= twin.instructions < 10_100


def test_an_unknown_symbol_is_named(boot: Boot) -> None:
    with pytest.raises(BoardError, match="'nonsense'"):
        boot("void main(void) {}").symbol("nonsense")


def test_rewritten_flash_and_ram_code_runs_as_rewritten(boot: Boot) -> None:
    source = """
        __attribute__((naked, used)) uint32_t answer(void) { ASM("movs r0, #1\\n bx lr"); }
        __attribute__((section(".ramcode"), naked, used)) uint32_t ram(void) {
            ASM("movs r0, #1\\n bx lr"); }
        void main(void) { }
    """
    twin = boot(source)
    for name in ("answer", "ram"):
        assert twin.call(name) == 1
        # movs r0, #2; adds r0, #1; bx lr
        twin.write(twin.symbol(name) & ~1, bytes.fromhex("022001307047"))
        twin.flush()
        before = twin.instructions
        assert twin.call(name) == 3
        assert twin.instructions - before == 3


def test_run_stops_at_the_time_it_is_given(boot: Boot) -> None:
    twin = boot("void main(void) { for (;;) out[0]++; }")
    stop = twin.run(0.001)
    assert stop.reason is StopReason.TIME
    assert 0.001 <= stop.now_s < 0.001001
    assert words(twin)[0] > 1000


def test_the_flash_also_answers_at_the_itcm_port(boot: Boot) -> None:
    twin = boot("""
        void main(void) { out[0] = REG(0x00200000) == REG(0x08000000);
            out[1] = *(volatile uint16_t *)0x1FF0F442; }
    """)
    twin.run(0.001)
    assert words(twin)[:2] == [1, 1024]


def test_time_is_exact_over_a_change_of_clock() -> None:
    state = CoreState()
    clock = Clock(state, 16_000_000)
    state.ticks = 1600 * 100
    assert clock.now_fs == 100 * 10**9
    clock.set_hz(216_000_000)
    for delay_s in (1e-9, 3.7e-6, 0.25):
        at_fs = clock.now_fs + to_fs(delay_s)
        clock.sleep_until(at_fs)
        assert 0 <= clock.now_fs - at_fs < 10**15 // (100 * 216_000_000) + 1


def test_yield_and_events_do_not_stop_the_core(boot: Boot) -> None:
    source = """
        void main(void) { ASM("yield"); out[0]++; ASM("sev\\n wfe"); out[0]++; ASM("sev"); ASM("wfe");
            out[0]++; ASM("wfe"); out[0]++; }
    """
    twin = boot(source)
    twin.run(0.001)
    assert words(twin)[0] == 3, "the last WFE has no event to wake it"
    assert twin.sleeping


@given(st.floats(min_value=0, max_value=1e6))
def test_a_time_asked_for_in_seconds_is_never_reached_early(seconds: float) -> None:
    assert to_s(to_fs(seconds)) >= seconds


def test_what_the_host_wrote_before_the_first_call_is_there(boot: Boot) -> None:
    source = "static uint32_t value = 5; void main(void) {} uint32_t f(void) { return value++ + out[0]; }"
    twin = boot(source)
    twin.write(twin.symbol("out"), b"\x64\0\0\0")
    assert twin.call("f") == 105
    assert twin.call("f") == 106
