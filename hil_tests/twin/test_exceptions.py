"""Exceptions: who preempts whom, what is stacked, what wakes the core."""

from __future__ import annotations

import pytest

from hil.twin import StopReason
from hil_tests.twin.conftest import Boot, words

pytestmark = pytest.mark.twin


def test_svc_enters_its_handler_at_once_with_the_callers_registers(boot: Boot) -> None:
    source = """
        __attribute__((naked)) void svcall(void) {
            ASM("ldr r1, =out\\n str r0, [r1]\\n mrs r0, ipsr\\n str r0, [r1, #4]\\n "
                "str lr, [r1, #8]\\n bx lr"); }
        void main(void) { ASM("movs r0, #77\\n svc 0"); out[3] = 1; }
    """
    twin = boot(source)
    twin.run(0.001)
    assert words(twin)[:4] == [77, 11, 0xFFFF_FFF9, 1]


def test_registers_and_flags_survive_an_interrupt_anywhere(boot: Boot) -> None:
    source = """
        void systick(void) { out[0]++;
            __asm volatile("movs r0,#0\\n mov r1,r0\\n mov r2,r0\\n mov r3,r0\\n mov r12,r0\\n "
                "cmp r0,r0" ::: "r0","r1","r2","r3","r12","cc"); }
        void main(void) {
            SYST_RVR = 61; SYST_CVR = 0; SYST_CSR = 7;
            __asm volatile(
                "movw r4, #2000\\n movs r0,#0\\n movs r1,#0\\n movs r2,#0\\n"
                "1: adds r0,#1\\n cmp r0,#0\\n itte ne\\n addne r1,#1\\n addne r2,#2\\n addeq r2,#9\\n"
                "b 2f\\n 2: subs r4,#1\\n b 3f\\n 3: bne 1b\\n"
                "ldr r4,=out\\n str r0,[r4,#4]\\n str r1,[r4,#8]\\n "
                    "str r2,[r4,#12]\\n" ::: "r0","r1","r2","r4","cc","memory");
            SYST_CSR = 0;
        }
    """
    twin = boot(source)
    twin.run(0.1)
    ticks, *counts = words(twin)[:4]
    assert ticks > 200
    assert counts == [2000, 2000, 4000]


def test_a_higher_priority_preempts_and_a_lower_one_waits(boot: Boot) -> None:
    source = """
        static uint32_t at; static void note(uint32_t x) { out[at++] = x; }
        void irq6(void) { note(60); NVIC_ISPR(0) = 1 << 8; ASM("dsb\\n isb"); note(61);
            NVIC_ISPR(0) = 1 << 7; ASM("dsb\\n isb"); note(62); }
        void irq7(void) { note(70); }
        void irq8(void) { note(80); }
        void main(void) {
            NVIC_IPR(6) = 0x40; NVIC_IPR(7) = 0x20; NVIC_IPR(8) = 0x60;
            NVIC_ISER(0) = 7 << 6;
            STIR = 6; ASM("dsb\\n isb"); note(1);
        }
    """
    twin = boot(source)
    twin.run(0.001)
    assert words(twin)[:6] == [60, 61, 70, 62, 80, 1]


def test_equal_priorities_go_by_number(boot: Boot) -> None:
    source = """
        static uint32_t at;
        void irq6(void) { out[at++] = 6; } void irq7(void) { out[at++] = 7; } void irq8(void) {
            out[at++] = 8; }
        void main(void) { NVIC_ISPR(0) = 7 << 6; out[8] = NVIC_ISPR(0); NVIC_ICPR(0) = 1 << 7;
            NVIC_ISER(0) = 7 << 6; ASM("dsb\\n isb"); out[at++] = 1; }
    """
    twin = boot(source)
    twin.run(0.001)
    assert words(twin)[:3] == [6, 8, 1]
    assert words(twin)[8] == 7 << 6


@pytest.mark.parametrize("grouping", [0, 7])
def test_subpriorities_order_but_do_not_preempt(boot: Boot, grouping: int) -> None:
    source = f"""
        static uint32_t at;
        void irq6(void) {{ out[at++] = 60; NVIC_ISPR(0) = 1 << 7; ASM("dsb\\n isb"); out[at++] = 61; }}
        void irq7(void) {{ out[at++] = 70; }}
        void main(void) {{
            SCB_AIRCR = 0x05FA0000 | {grouping} << 8;
            NVIC_IPR(6) = 0x40; NVIC_IPR(7) = 0x20; NVIC_ISER(0) = 3 << 6; STIR = 6; ASM("dsb\\n isb");
        }}
    """
    twin = boot(source)
    twin.run(0.001)
    assert words(twin)[:3] == ([60, 70, 61] if grouping == 0 else [60, 61, 70])


@pytest.mark.parametrize("native", [True, False])
def test_a_pending_interrupt_is_taken_as_soon_as_primask_clears_in_a_tight_loop(
    boot: Boot, native: bool
) -> None:
    source = """
        void irq6(void) { out[0]++; out[1] = out[2]; }
        void main(void) {
            NVIC_ISER(0) = 1 << 6;
            ASM("cpsid i"); NVIC_ISPR(0) = 1 << 6;
            for (uint32_t i = 0; i < 100; i++) out[2]++;
            out[3] = out[0];
            ASM("cpsie i\\n isb"); out[4] = out[0];
            for (;;) { ASM("cpsid i"); out[2]++; NVIC_ISPR(0) = 1 << 6; ASM("cpsie i"); }
        }
    """
    twin = boot(source, native=native)
    twin.run(0.0002)
    taken, _, rounds, while_masked, after = words(twin)[:5]
    assert (while_masked, after) == (0, 1)
    assert rounds - 100 - 1 <= taken - 1 <= rounds - 100


def test_basepri_holds_back_what_is_not_above_it(boot: Boot) -> None:
    source = """
        static uint32_t at;
        void irq6(void) { out[at++] = 6; } void irq7(void) { out[at++] = 7; }
        void main(void) {
            NVIC_IPR(6) = 0x40; NVIC_IPR(7) = 0x20; NVIC_ISER(0) = 3 << 6;
            __asm volatile("msr basepri, %0" :: "r"(0x40) : "memory"); NVIC_ISPR(0) = 3 << 6;
                ASM("dsb\\n isb"); out[at++] = 1;
            __asm volatile("msr basepri, %0\\n isb" :: "r"(0) : "memory"); out[at++] = 2;
            ASM("cpsid f"); NVIC_ISPR(0) = 1 << 6; ASM("dsb\\n isb"); out[at++] = 3;
                ASM("cpsie f\\n isb"); out[at++] = 4;
        }
    """
    twin = boot(source)
    twin.run(0.001)
    assert words(twin)[:7] == [7, 1, 6, 2, 3, 6, 4]


def test_threads_on_psp_are_switched_by_pendsv(boot: Boot) -> None:
    source = """
        static uint32_t stacks[2][64]; uint32_t *sp[2]; volatile uint32_t current;
        static void thread(uint32_t id) { for (;;) { out[id]++; out[4 + id] = id; SCB_ICSR = 1 << 28;
            ASM("dsb\\n isb"); } }
        void swap(void) { current ^= 1; }
        __attribute__((naked)) void pendsv(void) {
            ASM("mrs r0, psp\\n stmdb r0!, {r4-r11}\\n ldr r1,=current\\n ldr r2,[r1]\\n "
                "ldr r3,=sp\\n str r0,[r3,r2,lsl #2]\\n"
                "push {r3,lr}\\n bl swap\\n pop {r3,lr}\\n ldr r1,=current\\n ldr r2,[r1]\\n "
                    "ldr r0,[r3,r2,lsl #2]\\n ldmia r0!,{r4-r11}\\n msr psp,r0\\n bx lr");
        }
        void main(void) {
            uint32_t *frame = &stacks[1][64 - 16];
            frame[8] = 1; frame[14] = (uint32_t)thread & ~1u; frame[15] = 1 << 24; sp[1] = frame;
            __asm volatile("msr psp, %0\\n movs r0, #2\\n msr control, r0\\n "
                "isb" :: "r"(&stacks[0][64]) : "r0", "memory");
            thread(0);
        }
    """
    twin = boot(source)
    twin.run(0.001)
    first, second = words(twin)[:2]
    assert first > 20
    assert 0 <= first - second <= 1


def test_floating_point_registers_survive_handlers_that_use_them(boot: Boot) -> None:
    source = """
        volatile float noise;
        void systick(void) { out[0]++; noise = noise * 1.1f + (float)out[0]; uint32_t lr;
            __asm volatile("mov %0, lr" : "=r"(lr)); out[2] = lr; }
        void main(void) {
            SYST_RVR = 53; SYST_CVR = 0; SYST_CSR = 7;
            float a = 0.0f, b = 1.0f;
            for (uint32_t i = 0; i < 5000; i++) { a += b; __asm volatile("" : "+t"(a), "+t"(b)); }
            SYST_CSR = 0;
            out[1] = (uint32_t)a;
        }
    """
    twin = boot(source)
    twin.run(0.1)
    assert words(twin)[0] > 200
    assert words(twin)[1] == 5000
    assert words(twin)[2] == 0xFFFF_FFE9, "a frame with FP context"


def test_the_frame_is_aligned_to_eight_bytes_and_the_stack_comes_back(boot: Boot) -> None:
    source = """
        __attribute__((naked)) void svcall(void) {
            ASM("ldr r0, =out\\n mov r1, sp\\n str r1, [r0]\\n bx lr"); }
        void main(void) {
            __asm volatile("mov r4, sp\\n sub sp, #4\\n svc 0\\n add sp, #4\\n mov r5, sp\\n "
                "subs r4, r4, r5\\n ldr r0,=out\\n str r4,[r0,#4]" ::: "r0","r1","r4","r5","memory");
            out[2] = 1;
        }
    """
    twin = boot(source)
    twin.run(0.001)
    stack, difference, done = words(twin)[:3]
    assert stack % 8 == 0
    assert (difference, done) == (0, 1)


def test_back_to_back_interrupts_tail_chain_without_unstacking(boot: Boot) -> None:
    source = """
        static uint32_t sp_now(void) { uint32_t v; __asm volatile("mov %0, sp" : "=r"(v)); return v; }
        void irq6(void) { out[0] = sp_now(); out[2] = DWT_CYCCNT; } void irq7(void) {
            out[1] = sp_now(); out[3] = DWT_CYCCNT; }
        void main(void) { DEMCR |= 1 << 24; DWT_LAR = 0xC5ACCE55; DWT_CTRL |= 1; NVIC_ISPR(0) = 3 << 6;
            NVIC_ISER(0) = 3 << 6; ASM("dsb\\n isb"); out[4] = 1; }
    """
    twin = boot(source)
    twin.run(0.001)
    first, second, began, chained, done = words(twin)[:5]
    assert first == second
    assert chained - began < 24, "entry and return together cost 24 cycles, a tail chain 12"
    assert done == 1


def test_a_masked_interrupt_wakes_the_core_from_wfi_without_being_taken(boot: Boot) -> None:
    source = """
        void systick(void) { out[0]++; }
        void main(void) { ASM("cpsid i"); SYST_RVR = 15999; SYST_CVR = 0; SYST_CSR = 7; WFI();
            out[1] = out[0] + 10; ASM("cpsie i\\n isb"); out[2] = out[0]; }
    """
    twin = boot(source)
    twin.run(0.0015)
    assert words(twin)[:3] == [1, 10, 1]


def test_while_asleep_virtual_time_jumps_and_no_instruction_runs(boot: Boot) -> None:
    twin = boot("""
        void systick(void) { out[0]++; } void main(void) { SYST_RVR = 15999; SYST_CVR = 0; SYST_CSR = 7; }
    """)
    twin.run(1.0)
    assert words(twin)[0] in (999, 1000)
    assert twin.instructions < 20_000
    assert twin.sleep_cycles > 15_900_000


def test_sleep_on_exit_keeps_thread_mode_asleep(boot: Boot) -> None:
    source = """
        void systick(void) { out[0]++; }
        void main(void) { SCB_SCR = 2; SYST_RVR = 15999; SYST_CVR = 0; SYST_CSR = 7; for (;;) { WFI();
            out[1]++; } }
    """
    twin = boot(source)
    twin.run(0.0105)
    assert words(twin)[:2] == [10, 0]


def test_the_vector_table_can_be_moved_to_ram(boot: Boot) -> None:
    source = """
        static vector_t table[128] __attribute__((aligned(512)));
        static void mine(void) { out[0] = 5; }
        void main(void) { for (int i = 0; i < 114; i++) table[i] = vectors[i]; table[16 + 6] = mine;
            SCB_VTOR = (uint32_t)table; NVIC_ISER(0) = 1 << 6; STIR = 6; ASM("dsb\\n isb");
                out[1] = SCB_VTOR == (uint32_t)table; }
    """
    twin = boot(source)
    twin.run(0.001)
    assert words(twin)[:2] == [5, 1]


def test_a_software_reset_boots_again_and_says_why(boot: Boot) -> None:
    source = """
        uint32_t *const kept = (uint32_t *)0x2004F000;
        void main(void) { kept[0]++; kept[1] = RCC_CSR; if (kept[0] < 3) { RCC_CSR |= 1 << 24;
            SCB_AIRCR = 0x05FA0004; for (;;); } }
    """
    twin = boot(source)
    assert [twin.run(0.001).reason for _ in range(3)] == [StopReason.RESET, StopReason.RESET, StopReason.TIME]
    kept = twin.read(0x2004_F000, 8)
    assert kept[0] == 3
    assert int.from_bytes(kept[4:], "little") >> 24 == 0x14, "SFTRSTF and PINRSTF"


def test_nmi_preempts_a_handler_and_ignores_primask(boot: Boot) -> None:
    source = """
        static uint32_t at; void nmi(void) { out[at++] = 2; }
        void irq6(void) { out[at++] = 6; SCB_ICSR = 1u << 31; ASM("dsb\\n isb"); out[at++] = 7; }
        void main(void) { NVIC_ISER(0) = 1 << 6; STIR = 6; ASM("dsb\\n isb"); ASM("cpsid i");
            SCB_ICSR = 1u << 31; ASM("dsb\\n isb"); out[at++] = 9; }
    """
    twin = boot(source)
    twin.run(0.001)
    assert words(twin)[:5] == [6, 2, 7, 2, 9]
