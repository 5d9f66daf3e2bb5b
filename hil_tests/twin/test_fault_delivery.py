"""Faults as firmware sees them: the right handler, the right bits, a stacked frame, lockup."""

from __future__ import annotations

import pytest

from hil.errors import UsageError
from hil.twin import StopReason, Twin
from hil_tests.twin.conftest import Boot, words

pytestmark = pytest.mark.twin

CFSR, HFSR, FORCED = 2, 3, 1 << 30
RECORD = r"""
#define CFSR REG(0xE000ED28)
#define SHCSR REG(0xE000ED24)
#define CCR REG(0xE000ED14)
#define UNTIL_HERE ASM("dsb\n isb")
__attribute__((used)) void record(uint32_t *frame) {
    out[0] = SCB_ICSR & 0x1FF; out[1] = frame[6]; out[2] = CFSR; out[3] = REG(0xE000ED2C);
    out[4] = REG(0xE000ED38); out[5] = REG(0xE000ED34); out[6] = frame[7]; out[7]++;
    if (out[8]) { frame[6] += out[8]; CFSR = CFSR; REG(0xE000ED2C) = REG(0xE000ED2C); return; }
    for (;;) WFI();
}
#define RECORDING __attribute__((naked)) void
#define TO_RECORD { ASM("tst lr, #4\n ite eq\n mrseq r0, msp\n mrsne r0, psp\n b record"); }
RECORDING hardfault(void) TO_RECORD
RECORDING fault(void) TO_RECORD
static vector_t table[128] __attribute__((aligned(512)));
static void own_handlers(void) {
    for (int i = 0; i < 114; i++) table[i] = vectors[i];
    table[4] = table[5] = table[6] = fault;
    SCB_VTOR = (uint32_t)table; SHCSR = 7 << 16;
}
"""


def faulting(boot: Boot, body: str, extra: str = "", **options: object) -> Twin:
    source = f"{RECORD}{extra}void main(void) {{ {body} out[9] = 1; }}"
    return boot(source, faults="deliver", **options)


@pytest.mark.parametrize(
    ("body", "cfsr"),
    [
        ("REG(0xC0000000);", 1 << 15 | 1 << 9),
        ("REG(0x40011800);", 1 << 15 | 1 << 9),
        ("REG(0xC0000000) = 1;", 1 << 10),
        ('ASM("udf #7");', 1 << 16),
        ("((void (*)(void))0x08000100)();", 1 << 17),
        ("((void (*)(void))0x61000001)();", 1 << 8),
        ("((void (*)(void))0x40000001)();", 1 << 0),
        ("SCB_CPACR = 0; UNTIL_HERE; ASM(\"vmov s0, r0\");", 1 << 19),
        ("CCR |= 0x10; volatile int a = 5, b = 0; out[10] = a / b;", 1 << 25),
        ("CCR |= 8; out[10] = REG(0x20001001);", 1 << 24),
        ('__asm volatile("ldm %0, {r1, r2}" :: "r"(0x20001001) : "r1", "r2");', 1 << 24),
        ('__asm volatile("vldr s0, [%0]" :: "r"(0x20001002) : "s0");', 1 << 24),
        ('volatile uint32_t p = 0x20001002; __asm volatile("ldr r0, [%0]\\n ldrd r1, r2, [r0]" '
         ':: "r"(&p) : "r0", "r1", "r2");', 1 << 24),
        ('__asm volatile("ldrex r0, [%0]" :: "r"(0x20001002) : "r0");', 1 << 24),
    ],
)  # fmt: skip
@pytest.mark.parametrize("native", [True, False])
def test_every_cause_sets_its_bit_and_is_forced_to_hardfault(
    boot: Boot, body: str, cfsr: int, native: bool
) -> None:
    twin = faulting(boot, body, native=native)
    twin.run(0.001)
    exception, _, status, hard, bfar = words(twin)[:5]
    assert (exception, status, hard) == (3, cfsr, FORCED)
    assert words(twin)[9] == 0
    assert bfar == ({0xC: 0xC000_0000, 0x4: 0x4001_1800}[int(body[6], 16)] if cfsr >> 15 & 1 else 0)


@pytest.mark.parametrize(
    ("body", "exception"),
    [
        ("((void (*)(void))0x40000001)();", 4),
        ("REG(0xC0000000);", 5),
        ('ASM("udf #7");', 6),
    ],
)
def test_an_enabled_fault_goes_to_its_own_handler(boot: Boot, body: str, exception: int) -> None:
    twin = faulting(boot, f"own_handlers(); {body}")
    twin.run(0.001)
    assert words(twin)[0] == exception
    assert words(twin)[HFSR] == 0


def test_the_stacked_pc_is_the_instruction_and_a_handler_can_step_over_it(boot: Boot) -> None:
    twin = faulting(boot, 'out[8] = 2; ASM(".global here\\n here: udf #7"); out[10] = 5;')
    twin.run(0.001)
    assert words(twin)[1] == twin.symbol("here") & ~1
    assert words(twin)[9:11] == [1, 5]


def test_a_fault_where_its_priority_is_not_above_escalates(boot: Boot) -> None:
    body = "own_handlers(); SCB_SHPR(6) = 0x80; NVIC_IPR(6) = 0x40; NVIC_ISER(0) = 1 << 6; STIR = 6;"
    twin = faulting(boot, body, 'void irq6(void) { ASM("udf #1"); }')
    twin.run(0.001)
    assert words(twin)[0] == 3
    assert words(twin)[HFSR] == FORCED


def test_a_breakpoint_without_a_debugger_is_a_debug_event(boot: Boot) -> None:
    twin = faulting(boot, 'ASM("bkpt 1");')
    twin.run(0.001)
    assert words(twin)[0] == 3
    assert words(twin)[HFSR] == 1 << 31


def test_an_svc_that_is_masked_escalates(boot: Boot) -> None:
    twin = faulting(boot, 'ASM("cpsid i\\n svc 0");')
    twin.run(0.001)
    assert (words(twin)[0], words(twin)[HFSR]) == (3, FORCED)


def test_the_active_and_pended_bits_of_shcsr_are_there(boot: Boot) -> None:
    extra = "void svcall(void) { out[10] = SHCSR; }"
    body = 'ASM("svc 0"); out[11] = SHCSR; own_handlers(); out[8] = 2; SHCSR |= 1 << 14; UNTIL_HERE;'
    twin = faulting(boot, body, extra)
    twin.run(0.001)
    assert words(twin)[10:12] == [1 << 7, 0]
    assert words(twin)[0] == 5, "a pended BusFault is taken"


def test_a_fault_in_the_hardfault_handler_locks_up_until_a_reset(boot: Boot) -> None:
    twin = boot("void hardfault(void) { REG(0xC0000000); } void main(void) { out[0]++; REG(0xC0000004); }",
                faults="deliver")  # fmt: skip
    assert twin.run(0.001).reason is StopReason.LOCKUP
    assert twin.locked_up
    assert twin.run(0.002).reason is StopReason.TIME, "nothing executes, time passes"
    before = twin.instructions
    twin.run(0.003)
    assert twin.instructions == before
    twin.reset()
    assert not twin.locked_up
    assert twin.run(0.004).reason is StopReason.LOCKUP


def test_a_watchdog_frees_a_locked_up_core(boot: Boot) -> None:
    source = """
        void hardfault(void) { REG(0xC0000000); }
        void main(void) { IWDG_KR = 0xCCCC; REG(0xC0000004); }
    """
    twin = boot(source, faults="deliver")
    assert twin.run(1.0).reason is StopReason.LOCKUP
    assert twin.run(1.0).reason is StopReason.RESET


def test_a_stack_outside_memory_is_a_stacking_error(boot: Boot) -> None:
    extra = """
        __attribute__((naked)) void own(void) {
            ASM("ldr r0, =0x20040000\\n mov sp, r0\\n sub r0, #64\\n b record"); }
    """
    body = 'own_handlers(); table[3] = own; SHCSR = 0; ASM("ldr r0, =0x20000010\\n mov sp, r0\\n svc 0");'
    twin = faulting(boot, body, extra)
    twin.run(0.001)
    assert words(twin)[0] == 3
    assert words(twin)[CFSR] == 1 << 12
    assert words(twin)[HFSR] == FORCED


def test_a_return_to_a_broken_exc_return_is_an_invalid_pc(boot: Boot) -> None:
    extra = '__attribute__((naked)) void svcall(void) { ASM("mvn r0, #0\\n bx r0"); }'
    twin = faulting(boot, 'ASM("svc 0");', extra)
    twin.run(0.001)
    assert words(twin)[CFSR] == 1 << 18


def test_a_vector_table_that_cannot_be_read_locks_up(boot: Boot) -> None:
    twin = faulting(boot, 'SCB_VTOR = 0x60000000; ASM("svc 0");')
    assert twin.run(0.001).reason is StopReason.LOCKUP


def test_bus_faults_are_ignored_where_firmware_asks_for_it(boot: Boot) -> None:
    body = 'CCR |= 1 << 8; ASM("cpsid f"); out[10] = REG(0xC0000000) + 7; REG(0x40011800) = 1;'
    twin = faulting(boot, body)
    twin.run(0.001)
    assert words(twin)[7] == 0
    assert words(twin)[9:11] == [1, 7]


def test_aligned_and_guarded_accesses_do_not_trap(boot: Boot) -> None:
    body = """
        CCR |= 0x10;
        __asm volatile("ldr r0, =0x20001002\\n cmp r0, r0\\n it ne\\n ldrdne r1, r2, [r0]\\n"
            "movs r3, #0\\n cmp r3, #0\\n it ne\\n udivne r1, r0, r3\\n"
            "add r0, #2\\n ldrd r1, r2, [r0]\\n ldm r0!, {r1, r2}" ::: "r0", "r1", "r2", "r3", "memory");
    """
    twin = faulting(boot, body)
    twin.run(0.001)
    assert words(twin)[7:10] == [0, 0, 1]


def test_each_place_is_reported_once(boot: Boot) -> None:
    extra = '__attribute__((noinline)) void once(void) { ASM("udf #7"); }'
    twin = faulting(boot, 'out[8] = 2; for (int i = 0; i < 5; i++) once(); ASM("udf #8");', extra)
    twin.run(0.001)
    assert words(twin)[7] == 6
    assert len(twin.warnings) == 2
    assert "UNDEFINSTR" in twin.warnings[0]
    assert "(once+" in twin.warnings[0]


def test_an_unknown_mode_is_refused(boot: Boot) -> None:
    with pytest.raises(UsageError, match="'shrug'"):
        boot("void main(void) {}", faults="shrug")
