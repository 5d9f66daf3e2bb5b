"""Lazy stacking of the FPU's context: reserved at entry, written when a handler uses the FPU."""

from __future__ import annotations

import pytest

from hil_tests.twin.conftest import Boot, words

pytestmark = pytest.mark.twin

FPCCR_RESET = 0xC000_0000
ONE = 0x3F80_0000
USE = """
    __asm volatile("ldr r0, =0x3f800000\\n vmov s0, r0\\n ldr r0, =0x00400000\\n vmsr fpscr, r0\\n"
        "mov r0, #0\\n str r0, [sp, #-72]\\n svc 0\\n vmov r0, s0\\n ldr r1, =out\\n str r0, [r1, #32]\\n"
        "vmrs r0, fpscr\\n str r0, [r1, #36]" ::: "r0", "r1", "r2", "r3", "s0", "memory");
"""


def test_the_frame_is_reserved_first_and_filled_at_the_first_fp_instruction(boot: Boot) -> None:
    source = f"""
        __attribute__((naked)) void svcall(void) {{
            ASM("ldr r1, =out\\n str lr, [r1]\\n ldr r0, =0xE000EF34\\n ldr r2, [r0]\\n str r2, [r1, #4]\\n"
                "ldr r2, [r0, #4]\\n mov r3, sp\\n sub r2, r3\\n str r2, [r1, #8]\\n ldr r2, [sp, #0x20]\\n"
                "str r2, [r1, #12]\\n b 1f\\n 1: vmov s0, r2\\n ldr r2, [r0]\\n str r2, [r1, #20]\\n"
                "ldr r2, [sp, #0x20]\\n str r2, [r1, #24]\\n vmrs r2, fpscr\\n str r2, [r1, #28]\\n"
                "bx lr"); }}
        void main(void) {{ {USE} out[10] = REG(0xE000EF34); }}
    """
    twin = boot(source)
    twin.run(0.001)
    exc_return, before, fpcar, empty, _, after, stacked, fresh, back, fpscr, last = words(twin)[:11]
    assert exc_return == 0xFFFF_FFE9
    assert before == FPCCR_RESET | 1 << 3 | 1, "LSPACT, of a thread"
    assert (fpcar, empty) == (0x20, 0)
    assert after & 1 == last & 1 == 0
    assert (stacked, fresh) == (ONE, 0)
    assert (back, fpscr) == (ONE, 0x0040_0000)


def test_a_handler_without_fp_stores_nothing_and_returns_the_registers(boot: Boot) -> None:
    twin = boot(f"""
        void svcall(void) {{ out[0] = REG(0xE000EF34); out[1] = REG(REG(0xE000EF38)); }}
        void main(void) {{ {USE} out[2] = REG(0xE000EF34); }}
    """)
    twin.run(0.001)
    during, slot, after = words(twin)[:3]
    assert (during & 1, slot, after & 1) == (1, 0, 0)
    assert words(twin)[8:10] == [ONE, 0x0040_0000]


def test_without_lazy_stacking_the_frame_is_written_at_once(boot: Boot) -> None:
    twin = boot(f"""
        void svcall(void) {{ uint32_t sp; __asm volatile("mov %0, sp" : "=r"(sp)); out[0] = REG(0xE000EF34);
            for (int i = 0; i < 16; i++) if (REG(sp + 4 * i) == 0x3f800000) out[1]++; }}
        void main(void) {{ REG(0xE000EF34) = 1u << 31; {USE} }}
    """)
    twin.run(0.001)
    assert words(twin)[0] & 1 == 0
    assert words(twin)[1] == 1
    assert words(twin)[8] == ONE


def test_without_automatic_context_frames_are_basic(boot: Boot) -> None:
    twin = boot(f"""
        __attribute__((naked)) void svcall(void) {{ ASM("ldr r1, =out\\n str lr, [r1]\\n bx lr"); }}
        void main(void) {{ REG(0xE000EF34) = 0; {USE} }}
    """)
    twin.run(0.001)
    assert words(twin)[0] == 0xFFFF_FFF9


def test_a_new_context_begins_with_the_default_status(boot: Boot) -> None:
    twin = boot("""
        static uint32_t status(void) { uint32_t v; __asm volatile("b 1f\\n 1: vmov s0, %1\\n vmrs %0, fpscr"
            : "=r"(v) : "r"(0) : "s0"); return v; }
        void svcall(void) { out[0] = status(); }
        void main(void) { REG(0xE000EF3C) = 1 << 24; ASM("svc 0"); out[1] = status(); }
    """)
    twin.run(0.001)
    assert words(twin)[:2] == [1 << 24, 1 << 24]


def test_tasks_with_fp_are_switched_as_an_rtos_does(boot: Boot) -> None:
    source = """
        static uint32_t stacks[3][160]; uint32_t *sp[3]; volatile uint32_t current;
        void systick(void) { SCB_ICSR = 1 << 28; }
        static void fp_task(uint32_t id) {
            float sum = 0.0f, step = (float)id; float s16[4] = {step, step, step, step};
            for (uint32_t n = 1;; n++) {
                sum += step;
                __asm volatile("vldmia %0, {s16-s19}" :: "r"(s16) : "s16", "s17", "s18", "s19");
                for (volatile int i = 0; i < 20; i++) {}
                __asm volatile("vstmia %0, {s16-s19}" :: "r"(s16) : "memory");
                if (s16[3] != step || sum != (float)(n * id)) out[4 + id]++;
                out[id] = n;
                if (n == 100000) n = 0, sum = 0.0f;
            }
        }
        static void plain_task(uint32_t id) { for (;;) out[id]++; }
        void next(void) { current = (current + 1) % 3; out[3]++; }
        __attribute__((naked)) void pendsv(void) {
            ASM("mrs r0, psp\\n tst lr, #0x10\\n it eq\\n vstmdbeq r0!, {s16-s31}\\n"
                "stmdb r0!, {r4-r11, lr}\\n"
                "ldr r1, =current\\n ldr r2, [r1]\\n ldr r3, =sp\\n str r0, [r3, r2, lsl #2]\\n"
                "push {r3, lr}\\n bl next\\n pop {r3, lr}\\n"
                "ldr r1, =current\\n ldr r2, [r1]\\n ldr r0, [r3, r2, lsl #2]\\n ldmia r0!, {r4-r11, lr}\\n"
                "tst lr, #0x10\\n it eq\\n vldmiaeq r0!, {s16-s31}\\n msr psp, r0\\n bx lr");
        }
        void main(void) {
            for (uint32_t id = 1; id < 3; id++) {
                uint32_t *frame = &stacks[id][160 - 17];
                frame[8] = 0xFFFFFFFD; frame[9] = id;
                frame[15] = (uint32_t)(id == 1 ? fp_task : plain_task) & ~1u; frame[16] = 1 << 24;
                sp[id] = frame;
            }
            SCB_SHPR(14) = SCB_SHPR(15) = 0xF0;
            SYST_RVR = 997; SYST_CVR = 0; SYST_CSR = 7;
            __asm volatile("msr psp, %0\\n movs r0, #2\\n msr control, r0\\n isb" :: "r"(&stacks[0][160])
                : "r0", "memory");
            fp_task(3);
        }
    """
    twin = boot(source, faults="deliver")
    twin.run(0.02)
    fp_one, plain, switches = words(twin)[1:4]
    assert switches > 100
    assert min(fp_one, plain) > 100
    assert words(twin)[5] == words(twin)[7] == 0, "sums and S16 to S19 are each task's own"
    assert not twin.warnings
