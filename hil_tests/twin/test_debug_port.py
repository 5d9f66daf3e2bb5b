"""The debug port of the twin, register by register, as a probe uses it."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hil.twin import StopReason
from hil.twin.debug import control as c
from hil.twin.debug.sw_dp import FaultError, NoAnswerError
from hil_tests.twin.conftest import Boot, words
from hil_tests.twin.debugger import DEMCR, DFSR, DHCSR, KEY, Debugger

pytestmark = pytest.mark.twin

COUNT = """
__attribute__((noinline)) void work(uint32_t n) { out[0] = n; ASM("nop"); out[1] = n * 3; }
void main(void) { for (uint32_t n = 1;; n++) work(n); }
"""
RAM = 0x2001_0000
XPSR, MSP, PSP, CFBP, FPSCR, S0 = 16, 17, 18, 20, 33, 64


@pytest.fixture
def debugger(boot: Boot) -> Debugger:
    return Debugger(boot(COUNT))


def test_nothing_answers_after_a_line_reset_until_the_identification_is_read(debugger: Debugger) -> None:
    debugger.port.sequence(51, (1 << 51) - 1)
    with pytest.raises(NoAnswerError):
        debugger.port.read_dp(4)
    assert debugger.port.read_dp(0) == 0x5BA0_2477
    assert debugger.port.read_dp(4)


def test_power_requests_are_acknowledged_one_by_one(debugger: Debugger) -> None:
    debugger.port.write_dp(4, 1 << 28)
    assert debugger.port.read_dp(4) >> 28 == 0b0011
    debugger.port.write_dp(4, 0)
    assert debugger.port.read_dp(4) >> 28 == 0
    with pytest.raises(FaultError):
        debugger.port.read_ap(0)


def test_an_access_that_nothing_answers_is_sticky_until_cleared(debugger: Debugger) -> None:
    with pytest.raises(FaultError, match="0x60000000"):
        debugger.read(0x6000_0000)
    with pytest.raises(FaultError):
        debugger.read(RAM)
    assert debugger.port.read_dp(4) & 1 << 5
    debugger.port.write_dp(0, 0x1E)
    assert not debugger.port.read_dp(4) & 1 << 5
    debugger.write(RAM, 0x1234_5678)
    assert debugger.read(RAM) == 0x1234_5678


def test_only_the_first_access_port_is_there(debugger: Debugger) -> None:
    debugger.port.write_dp(8, 0xF0)
    assert debugger.port.read_ap(0xC) == 0x7477_0001
    assert debugger.port.read_ap(0x8) == 0xE00F_D003
    debugger.port.write_dp(8, 1 << 24 | 0xF0)
    assert debugger.port.read_ap(0xC) == 0


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=30)
@given(offset=st.integers(0, 63), size=st.sampled_from((1, 2, 4)), value=st.integers(0, 2**32 - 1))
def test_bytes_and_halfwords_travel_on_their_lanes(
    debugger: Debugger, offset: int, size: int, value: int
) -> None:
    address = RAM + offset - offset % size
    debugger.write(address, value & ((1 << 8 * size) - 1), size)
    stored = debugger.twin.read(address, size)
    assert stored == (value & ((1 << 8 * size) - 1)).to_bytes(size, "little")
    assert debugger.read(address, size).to_bytes(size, "little") == stored


def test_the_address_counts_within_a_kilobyte(debugger: Debugger) -> None:
    for at in range(0, 0x400, 4):
        debugger.twin.write(RAM + at, at.to_bytes(4, "little"))
    debugger.port.write_dp(8, 0)
    debugger.port.write_ap(0, 0x2300_0012)
    debugger.port.write_ap(4, RAM + 0x3F8)
    assert [debugger.port.read_ap(0xC) for _ in range(3)] == [0x3F8, 0x3FC, 0]
    debugger.port.write_ap(0, 0x2300_0002)  # no increment
    assert [debugger.port.read_ap(0xC) for _ in range(2)] == [4, 4]
    debugger.port.write_dp(8, 0x10)
    assert [debugger.port.read_ap(at) for at in (0, 4, 8, 12)] == [0, 4, 8, 12]  # BD0 to BD3


def test_a_debugger_that_reads_memory_leaves_the_core_alone(boot: Boot) -> None:
    alone, debugged = boot(COUNT), boot(COUNT)
    debugger = Debugger(debugged)
    for slices in range(1, 6):
        alone.run(0.002 * slices)
        debugger.read(RAM)
        debugged.debug.run(0.002 * slices)
    assert words(debugged) == words(alone)
    assert (debugged.instructions, debugged.cycles) == (alone.instructions, alone.cycles)


def test_halt_and_resume(debugger: Debugger) -> None:
    debugger.run(0.001)
    debugger.halt()
    count = words(debugger.twin)[0]
    assert debugger.read(DHCSR) & (c.DHCSR_S_HALT | c.DHCSR_S_REGRDY | c.DHCSR_C_DEBUGEN)
    assert debugger.read(DFSR) == c.DFSR_HALTED
    now_s = debugger.twin.now_s
    assert debugger.unit.run(1.0).reason is StopReason.HALTED
    assert (debugger.twin.now_s, words(debugger.twin)[0]) == (now_s, count)
    debugger.resume()
    assert not debugger.run(0.001) & c.DHCSR_S_HALT
    assert words(debugger.twin)[0] > count


def test_registers_are_read_and_written(debugger: Debugger) -> None:
    debugger.run(0.001)
    debugger.halt()
    values = {number: 0x1000_0001 * number & 0xFFFF_FFFF for number in range(13)}
    values |= {14: 0x0800_0123, PSP: 0x2000_8000, FPSCR: 0x0040_0000, CFBP: 0x0001_2001}
    values |= {S0 + i: 0x3F80_0000 + i for i in range(32)}
    for number, value in values.items():
        debugger.set_register(number, value)
    assert {number: debugger.register(number) for number in values} == values
    debugger.set_register(13, 0x2001_0000)
    assert (debugger.register(13), debugger.register(MSP)) == (0x2001_0000, 0x2001_0000)
    debugger.set_register(CFBP, 2 << 24)  # SPSEL: SP is PSP now
    assert (debugger.register(13), debugger.register(MSP)) == (0x2000_8000, 0x2001_0000)
    debugger.set_register(XPSR, 0xF100_0000)
    assert debugger.register(XPSR) & 0xF100_0000 == 0xF100_0000


def test_a_step_is_one_instruction_and_counts_as_one(debugger: Debugger) -> None:
    twin = debugger.twin
    debugger.halt()
    debugger.set_register(15, twin.symbol("work"))
    debugger.set_register(0, 7)
    before = twin.instructions
    pcs = [debugger.step() for _ in range(3)]
    assert twin.instructions - before == 3
    assert all(0 < b - a <= 4 for a, b in zip([twin.symbol("work") & ~1, *pcs], pcs, strict=False))
    assert debugger.read(DFSR) & c.DFSR_HALTED


def test_stepping_and_running_do_the_same_work_in_nearly_the_same_time(boot: Boot) -> None:
    source = 'void main(void) { for (int i = 0; i < 50; i++) out[i & 7] += i; ASM("bkpt 0"); }'
    stepped, ran = Debugger(boot(source)), Debugger(boot(source))
    for debugger in (stepped, ran):
        debugger.halt()
    ran.resume()
    assert ran.run() & c.DHCSR_S_HALT
    assert any(stepped.step() == ran.register(15) for _ in range(1000))
    assert words(stepped.twin) == words(ran.twin)
    assert stepped.twin.instructions == ran.twin.instructions
    assert stepped.twin.cycles == pytest.approx(ran.twin.cycles, rel=0.02)


@pytest.mark.parametrize("native", [True, False])
@pytest.mark.parametrize("timing", ["instructions", "pipeline"])
def test_a_breakpoint_halts_before_its_instruction(boot: Boot, native: bool, timing: str) -> None:
    debugger = Debugger(boot(COUNT, native=native, timing=timing))
    twin = debugger.twin
    debugger.halt()
    target = (twin.symbol("work") & ~1) + 4
    debugger.breakpoint(0, target)
    for count in (1, 2, 3):
        debugger.resume()
        assert debugger.run() & c.DHCSR_S_HALT
        assert debugger.register(15) == target
        assert debugger.read(DFSR) == c.DFSR_BKPT
        assert debugger.register(0) == count
        debugger.breakpoint(0, None)
        debugger.step()
        debugger.breakpoint(0, target)
    debugger.breakpoint(0, None)
    debugger.resume()
    assert not debugger.run(0.001) & c.DHCSR_S_HALT


def test_a_breakpoint_counts_what_ran_and_no_more(boot: Boot) -> None:
    """Halting in the middle of a block and going on adds nothing to the count of instructions."""
    source = 'void main(void) { out[0] = 1; out[1] = 2; out[2] = 3; out[3] = 4; ASM("bkpt 0"); }'
    plain, broken = Debugger(boot(source)), Debugger(boot(source))
    for debugger in (plain, broken):
        debugger.halt()
    for offset in (2, 6, 10):
        broken.breakpoint(0, (broken.twin.symbol("main") & ~1) + offset)
        broken.resume()
        assert broken.run() & c.DHCSR_S_HALT
    broken.breakpoint(0, None)
    for debugger in (plain, broken):
        debugger.resume()
        assert debugger.run() & c.DHCSR_S_HALT
    assert plain.register(15) == broken.register(15)
    assert plain.twin.instructions == broken.twin.instructions
    assert plain.twin.cycles == broken.twin.cycles


def test_a_breakpoint_in_an_it_block_halts_on_the_it_instruction(boot: Boot) -> None:
    source = """
        void main(void) {
            for (;;) { out[1]++; __asm volatile(
                "here: cmp %0, #0\\n it_is: itte ne\\n addne %0, #1\\n within: addne %0, #1\\n moveq %0, #0"
                : : "r"(out[1]) : "cc"); out[2]++; }
        }
    """
    debugger = Debugger(boot(source))
    twin = debugger.twin
    debugger.halt()
    debugger.breakpoint(0, twin.symbol("within"))
    for _ in range(2):
        debugger.resume()
        assert debugger.run() & c.DHCSR_S_HALT
        assert debugger.register(15) == twin.symbol("it_is") & ~1
    assert words(twin)[2] == 1  # it went on in between


def test_bkpt_halts_under_a_debugger_and_crashes_without(boot: Boot) -> None:
    source = 'void main(void) { out[0] = 1; ASM("bkpt 0xAB"); out[0] = 2; }'
    debugger = Debugger(boot(source))
    debugger.halt()
    debugger.resume()
    assert debugger.run() & c.DHCSR_S_HALT
    assert debugger.read(DFSR) == c.DFSR_BKPT
    pc = debugger.register(15)
    assert debugger.read(pc, 2) == 0xBEAB
    debugger.set_register(15, pc + 2)
    debugger.resume()
    debugger.run(0.001)
    assert words(debugger.twin)[0] == 2
    alone = boot(source)
    alone.debug.run(0.001)
    assert alone.debug.control.status() & c.DHCSR_S_LOCKUP


@pytest.mark.parametrize(("function", "index"), [(6, 0), (5, 1), (7, 0)])
def test_a_watchpoint_halts_behind_the_access(boot: Boot, function: int, index: int) -> None:
    source = """
        void main(void) { uint32_t v = 5;
            for (;;) { out[3]++; ASM("nop"); out[0] = v++; ASM("nop"); out[4] = out[1]; out[5]++; } }
    """
    debugger = Debugger(boot(source))
    twin = debugger.twin
    debugger.run(0.0001)
    debugger.halt()
    before = words(twin)
    debugger.watch(2, twin.symbol("out") + 4 * index, function)
    for passes in (1, 2):
        debugger.resume()
        assert debugger.run() & c.DHCSR_S_HALT
        assert debugger.read(DFSR) == c.DFSR_DWTTRAP
        assert debugger.read(0xE000_1048) & 1 << 24  # MATCHED
        assert words(twin)[3] - before[3] in (passes, passes - 1)
        if index == 0:
            assert words(twin)[0] == before[0] + passes
    debugger.watch(2, 0, 0)
    debugger.resume()
    assert not debugger.run(0.001) & c.DHCSR_S_HALT


def test_a_watchpoint_on_a_peripheral_halts_after_the_block(boot: Boot) -> None:
    source = "void main(void) { RCC_AHB1ENR |= 1; for (;;) { out[0]++; REG(0x40020018) = 1; } }"
    debugger = Debugger(boot(source))
    debugger.halt()
    debugger.watch(0, 0x4002_0018, 6)
    debugger.resume()
    assert debugger.run() & c.DHCSR_S_HALT
    assert debugger.read(DFSR) == c.DFSR_DWTTRAP
    assert words(debugger.twin)[0] <= 2


def test_interrupts_can_be_masked_while_stepping(boot: Boot) -> None:
    source = """
        void systick(void) { out[1]++; }
        void main(void) { SYST_RVR = 9; SYST_CVR = 0; SYST_CSR = 7; for (;;) { out[0]++; } }
    """
    debugger = Debugger(boot(source))
    debugger.run(0.0001)
    debugger.halt()
    handler = debugger.twin.symbol("systick") & ~1
    assert all(debugger.step(masked=True) != handler for _ in range(60))
    assert any(debugger.step() == handler for _ in range(60))
    assert debugger.register(XPSR) & 0x1FF == 15


def test_reset_and_halt_catches_the_first_instruction(debugger: Debugger) -> None:
    debugger.run(0.001)
    debugger.halt()
    debugger.write(DEMCR, c.DEMCR_VC_CORERESET)
    debugger.write(0xE000_ED0C, 0x05FA_0004)
    status = debugger.read(DHCSR)
    assert status & c.DHCSR_S_HALT
    assert status & c.DHCSR_S_RESET_ST
    assert not debugger.read(DHCSR) & c.DHCSR_S_RESET_ST
    assert debugger.register(15) == debugger.twin.symbol("reset") & ~1
    assert debugger.read(DFSR) == c.DFSR_VCATCH
    debugger.write(DEMCR, 0)
    debugger.write(0xE000_ED0C, 0x05FA_0004)
    assert not debugger.read(DHCSR) & c.DHCSR_S_HALT


def test_the_reset_line_holds_the_chip_and_boots_it_when_released(debugger: Debugger) -> None:
    debugger.run(0.001)
    debugger.unit.hold_reset(True)
    count = words(debugger.twin)[0]
    assert debugger.read(DHCSR) & debugger.read(DHCSR) & c.DHCSR_S_RESET_ST
    debugger.unit.run(0.01)
    assert words(debugger.twin)[0] == count
    debugger.write(DHCSR, KEY | c.DHCSR_C_DEBUGEN)
    debugger.write(DEMCR, c.DEMCR_VC_CORERESET)
    debugger.unit.hold_reset(False)
    assert debugger.register(15) == debugger.twin.symbol("reset") & ~1


def test_a_core_reset_leaves_the_peripherals(boot: Boot) -> None:
    debugger = Debugger(boot("void main(void) { RCC_AHB1ENR |= 8; for (;;) out[0]++; }"))
    debugger.run(0.001)
    debugger.halt()
    enabled = debugger.read(0x4002_3830)
    debugger.write(DEMCR, c.DEMCR_VC_CORERESET)
    debugger.write(0xE000_ED0C, 0x05FA_0001)
    assert debugger.register(15) == debugger.twin.symbol("reset") & ~1
    assert debugger.read(0x4002_3830) == enabled
    assert enabled & 8


CRASH = """
    void hardfault(void) { out[1] = REG(0x60000000); }
    void main(void) { out[0] = 1; out[1] = REG(0x60000000); out[0] = 2; }
"""


def test_a_crash_locks_the_core_up_until_it_is_reset(boot: Boot) -> None:
    debugger = Debugger(boot(CRASH))
    assert debugger.run() & c.DHCSR_S_LOCKUP
    assert "0x60000000" in debugger.twin.warnings[0]
    debugger.halt()
    assert debugger.read(DHCSR) & (c.DHCSR_S_LOCKUP | c.DHCSR_S_HALT) == c.DHCSR_S_HALT
    debugger.write(DEMCR, c.DEMCR_VC_CORERESET)
    debugger.write(0xE000_ED0C, 0x05FA_0004)
    assert debugger.register(15) == debugger.twin.symbol("reset") & ~1


def test_vector_catch_halts_where_the_handler_begins(boot: Boot) -> None:
    debugger = Debugger(boot(CRASH))
    debugger.halt()
    debugger.write(DEMCR, 1 << 10)
    debugger.resume()
    assert debugger.run() & c.DHCSR_S_HALT
    assert debugger.read(DFSR) == c.DFSR_VCATCH
    assert debugger.register(15) == debugger.twin.symbol("hardfault") & ~1
    main, stacked = debugger.twin.symbol("main") & ~1, debugger.read(debugger.register(13) + 24)
    assert main < stacked < main + 32


def test_firmware_sees_that_a_debugger_is_attached(boot: Boot) -> None:
    twin = boot("void main(void) { for (;;) out[0] = REG(0xE000EDF0) & 1; }")
    twin.run(0.001)
    assert words(twin)[0] == 0
    debugger = Debugger(twin)
    debugger.write(DHCSR, KEY | c.DHCSR_C_DEBUGEN)
    debugger.run(0.001)
    assert words(twin)[0] == 1


@pytest.mark.parametrize("frozen", [True, False])
def test_the_watchdog_bites_a_halted_core_unless_it_is_frozen(boot: Boot, frozen: bool) -> None:
    debugger = Debugger(boot("void main(void) { IWDG_KR = 0xCCCC; for (;;) IWDG_KR = 0xAAAA; }"))
    debugger.write(0xE004_2008, 1 << 12 if frozen else 0)
    debugger.run(0.001)
    debugger.halt()
    debugger.read(DHCSR)
    now_s = debugger.twin.now_s
    debugger.unit.run(now_s + 2.0)
    status = debugger.read(DHCSR)
    assert bool(status & c.DHCSR_S_RESET_ST) is not frozen
    assert bool(status & c.DHCSR_S_HALT) is frozen


def test_code_that_the_debugger_writes_runs(debugger: Debugger) -> None:
    debugger.halt()
    for address in (RAM, RAM + 0x400):
        for immediate in (1, 2):  # movs r0, #immediate; bkpt 0
            debugger.write(address, 0xBE00_2000 | immediate)
            debugger.set_register(15, address)
            debugger.resume()
            assert debugger.run() & c.DHCSR_S_HALT
            assert debugger.register(0) == immediate
