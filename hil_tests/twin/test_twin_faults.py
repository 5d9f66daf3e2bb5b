"""Crashes: every kind stops the run, with the place, the cause and the way there."""

from __future__ import annotations

import pytest

from hil.errors import TwinFault
from hil_tests.twin.conftest import Boot

pytestmark = pytest.mark.twin


def crash(boot: Boot, source: str) -> str:
    twin = boot(source)
    with pytest.raises(TwinFault) as caught:
        twin.run(0.01)
    return caught.value.message


def test_a_read_of_nothing_names_address_function_and_callers(boot: Boot) -> None:
    message = crash(
        boot,
        """
        __attribute__((noinline)) uint32_t inner(uint32_t a) { uint32_t v = REG(a); ASM(""); return v + 1; }
        __attribute__((noinline)) uint32_t outer(uint32_t a) { uint32_t v = inner(a); ASM("");
            return v + 2; }
        void main(void) { out[0] = outer(0x60000004); }
    """,
    )
    assert "BusFault: read of 4 bytes at 0x60000004" in message
    assert "(inner+0x" in message.splitlines()[0]
    called = [line for line in message.splitlines() if "called from" in line]
    assert [name for name in ("outer", "main", "reset") if any(f"({name}+" in line for line in called)] == [
        "outer",
        "main",
        "reset",
    ]


def test_a_write_to_flash_by_its_read_only_port_faults(boot: Boot) -> None:
    message = crash(boot, "void main(void) { REG(0x00201000) = 1; }")
    assert "write of 4 bytes at 0x00201000 in flash (ITCM port)" in message


def test_a_hole_between_peripherals_faults(boot: Boot) -> None:
    message = crash(boot, "void main(void) { out[0] = REG(0x40011800); }")
    assert "read of 4 bytes at 0x40011800" in message
    assert "(main+" in message


def test_a_jump_to_nowhere_names_the_caller(boot: Boot) -> None:
    message = crash(boot, "void main(void) { ((void (*)(void))0x61000001)(); out[0] = 1; }")
    assert "fetch" in message
    assert "0x61000000" in message
    assert "(main+" in message


def test_an_undefined_instruction_is_shown(boot: Boot) -> None:
    message = crash(boot, 'void main(void) { ASM("nop\\n udf #7"); }')
    assert "UNDEFINSTR" in message
    assert "de07" in message
    assert "(main+0x2)" in message


def test_an_undefined_instruction_behind_a_yield_is_found(boot: Boot) -> None:
    assert "UNDEFINSTR" in crash(boot, 'void main(void) { ASM("yield\\n udf #7"); }')


def test_a_branch_without_the_thumb_bit_faults(boot: Boot) -> None:
    assert "INVSTATE" in crash(boot, "void main(void) { ((void (*)(void))0x08000100)(); out[0] = 1; }")


def test_a_breakpoint_without_debugger_faults(boot: Boot) -> None:
    assert "BKPT" in crash(boot, 'void main(void) { ASM("bkpt 3"); }')


def test_an_interrupt_without_a_handler_says_which(boot: Boot) -> None:
    message = crash(boot, 'void main(void) { NVIC_ISER(0) = 1 << 9; STIR = 9; ASM("dsb\\n isb"); }')
    assert "the vector of exception 25 holds 0x00000000" in message


def test_a_fault_in_a_handler_names_the_exception(boot: Boot) -> None:
    message = crash(
        boot,
        """
        void irq6(void) { REG(0xC0000000) = 1; } void main(void) { NVIC_ISER(0) = 1 << 6; STIR = 6;
            ASM("dsb\\n isb"); }
    """,
    )
    assert "in exception 22 (IRQ 6)" in message


def test_a_stack_that_runs_out_of_memory_faults(boot: Boot) -> None:
    message = crash(
        boot,
        """
        __attribute__((naked)) void main(void) {
            ASM("ldr r0, =0x20000010\\n mov sp, r0\\n svc 0\\n bx lr"); } void svcall(void) {}
    """,
    )
    assert "stack" in message


def test_an_svc_that_is_masked_is_a_hard_fault(boot: Boot) -> None:
    message = crash(boot, 'void svcall(void) {} void main(void) { ASM("cpsid i\\n svc 0"); }')
    assert "HardFault: SVC" in message


def test_the_fpu_before_it_is_enabled_faults_as_on_silicon(boot: Boot) -> None:
    message = crash(
        boot,
        """
        volatile float f; __attribute__((noinline)) void use(void) { f = f + 1.0f; } void main(void) {
            SCB_CPACR = 0; ASM("dsb\\n isb"); use(); }
    """,
    )
    assert "NOCP" in message
    assert "(use+" in message


def test_a_return_to_a_broken_exc_return_faults(boot: Boot) -> None:
    source = """
        __attribute__((naked)) void svcall(void) { ASM("mvn r0, #0\\n bx r0"); }
        void main(void) { ASM("svc 0"); }
    """
    assert "no EXC_RETURN" in crash(boot, source)
