"""The MPU and privileges: what is forbidden faults, what is allowed does not, and costs no fault."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hil.twin import Twin
from hil.twin.mpu import EXECUTE, READ, WRITE, MpuRegion, MpuRegions
from hil_tests.twin.conftest import Boot, words

pytestmark = pytest.mark.twin

DATA, CODE = 0x82, 0x01
BUS = 0x8200
RECORD = r"""
__attribute__((naked)) void hardfault(void) { ASM("ldr r0, =0x20040000\n msr msp, r0\n b record"); }
__attribute__((used)) void record(void) {
    out[0] = REG(0xE000ED28); out[1] = REG(0xE000ED34); out[2] = REG(0xE000ED38); for (;;) WFI(); }
#define MPU(n, base, bits, ap, xn) (REG(0xE000ED98) = n, REG(0xE000ED9C) = (base), \
    REG(0xE000EDA0) = (xn) << 28 | (ap) << 24 | ((bits) - 1) << 1 | 1)
#define RASR REG(0xE000EDA0)
#define ON(flags) (REG(0xE000ED94) = 1 | (flags))
#define CONTROL(v) __asm volatile("msr control, %0\n isb" :: "r"(v) : "memory")
"""
ROM_AND_RAM = "MPU(0, 0x08000000, 20, 6, 0); MPU(1, 0x20000000, 19, 3, 1);"
WRITE_RETURN = 'REG(0x20008000) = 0x47704770; ASM("dsb\\n isb");'
CALL_RAM = "((void (*)(void))0x20008001)();"


def booted(boot: Boot, body: str, extra: str = "") -> Twin:
    twin = boot(f"{RECORD}{extra}void main(void) {{ {body} out[9] = 1; }}", faults="deliver")
    twin.run(0.02)
    return twin


@pytest.mark.parametrize(
    ("body", "cfsr", "address"),
    [
        (f"{ROM_AND_RAM} ON(4); out[3] = 5; out[4] = REG(0x08000000);", 0, 0),
        (f"{ROM_AND_RAM} ON(4); REG(0x08001000) = 1;", DATA, 0x0800_1000),
        (f"{ROM_AND_RAM} {WRITE_RETURN} ON(4); {CALL_RAM}", CODE, 0),
        (f"{ROM_AND_RAM} {WRITE_RETURN} {CALL_RAM} ON(4); {CALL_RAM}", CODE, 0),
        (f"{ROM_AND_RAM} ON(4); REG(0xE000ED94) = 0; {WRITE_RETURN} {CALL_RAM}", 0, 0),
        ("MPU(7, 0, 8, 0, 1); ON(4); REG(0x10);", DATA, 0x10),
        ("MPU(7, 0x20008000, 12, 0, 1); RASR |= 0xF0 << 8; ON(4); REG(0x20008900); REG(0x20008700);",
         DATA, 0x2000_8700),
        ("MPU(7, 0x20008000, 5, 0, 1); ON(4); REG(0x20008020) = 1; REG(0x2000801C) = 1;", DATA, 0x2000_801C),
        ("MPU(7, 0x40020000, 10, 5, 1); ON(4); REG(0x40020000); REG(0x40020014) = 1;", DATA, 0x4002_0014),
        (f"{ROM_AND_RAM} ON(0); REG(0x40020000);", DATA, 0x4002_0000),
        (f"{ROM_AND_RAM} ON(0); REG(0xE000ED00);", 0, 0),
        ("MPU(0, 0x08000000, 20, 6, 0); MPU(1, 0x20000000, 19, 3, 1); MPU(2, 0x20010000, 10, 1, 1); ON(4);"
         " REG(0x20010000); CONTROL(1); REG(0x20010000);", DATA, 0x2001_0000),
    ],
)  # fmt: skip
def test_regions_are_enforced(boot: Boot, body: str, cfsr: int, address: int) -> None:
    twin = booted(boot, body)
    assert words(twin)[:2] == [cfsr, address]
    assert words(twin)[9] == (0 if cfsr else 1)


def test_hardfault_runs_without_the_mpu_unless_asked(boot: Boot) -> None:
    source = RECORD.replace("out[0] = ", "out[5] = REG(0x2000C004) + 1; out[0] = ")
    body = "MPU(7, 0x2000C000, 10, 0, 1); ON({}); REG(0x2000C000) = 1;"
    for flags, reached in ((4, 1), (6, 0)):
        twin = boot(f"{source} void main(void) {{ {body.format(flags)} }}", faults="deliver")
        twin.run(0.001)
        assert words(twin)[5] == reached
        assert twin.locked_up == (not reached)


def test_a_page_divided_too_finely_is_given_up_with_a_warning(boot: Boot) -> None:
    body = "MPU(7, 0x20008000, 5, 0, 1); ON(4); for (int i = 0; i < 12000; i++) REG(0x20008024) = i;"
    twin = booted(boot, body)
    assert words(twin)[9] == 1
    assert ["no longer protected" in warning for warning in twin.warnings] == [True]


def test_the_aliases_write_four_regions_in_a_row(boot: Boot) -> None:
    body = """
        REG(0xE000ED9C) = 0x20000010; REG(0xE000EDA0) = 0x03000021; REG(0xE000EDA4) = 0x20010011;
        REG(0xE000EDA8) = 0x03000023; REG(0xE000EDAC) = 0x20020012; REG(0xE000EDB0) = 0x03000025;
        out[3] = REG(0xE000ED90); REG(0xE000ED98) = 1; out[4] = REG(0xE000ED9C); out[5] = REG(0xE000EDA0);
        REG(0xE000ED98) = 2; out[6] = REG(0xE000EDB4);
    """
    twin = booted(boot, body)
    assert words(twin)[3:7] == [0x800, 0x2001_0001, 0x0300_0023, 0x2002_0002]


@pytest.mark.parametrize(
    ("body", "cfsr", "address"),
    [
        ("CONTROL(1); REG(0xE000ED00);", BUS, 0xE000_ED00),
        ("CONTROL(1); STIR = 6;", BUS, 0xE000_EF00),
        ("REG(0xE000ED14) |= 2; CONTROL(1); STIR = 6;", 0, 0),
        ("CONTROL(1); REG(0x20008000) = 1; out[3] = REG(0x08000000);", 0, 0),
    ],
)
def test_unprivileged_code_does_not_reach_the_private_bus(
    boot: Boot, body: str, cfsr: int, address: int
) -> None:
    twin = booted(boot, body)
    assert (words(twin)[0], words(twin)[2]) == (cfsr, address)


def test_unprivileged_code_cannot_mask_interrupts_and_svc_gives_privileges_back(boot: Boot) -> None:
    extra = 'void svcall(void) { out[3] = REG(0xE000ED00); __asm volatile("msr control, %0" :: "r"(0)); }'
    body = """
        uint32_t v; CONTROL(1); ASM("cpsid i"); CONTROL(0);
        __asm volatile("mrs %0, control" : "=r"(v)); out[4] = v;
        ASM("svc 0"); __asm volatile("mrs %0, primask" : "=r"(v)); out[5] = v; out[6] = REG(0xE000ED00);
    """
    twin = booted(boot, body, extra)
    cpuid = 0x410F_C271
    assert words(twin)[3:7] == [cpuid, 1, 0, cpuid]


def test_an_unprivileged_thread_on_its_own_stack_is_interrupted_and_goes_on(boot: Boot) -> None:
    extra = "static uint32_t stack[128]; void systick(void) { out[3]++; out[4] = REG(0xE000ED04) & 0x1FF; }"
    body = """
        SYST_RVR = 500; SYST_CVR = 0; SYST_CSR = 7;
        __asm volatile("msr psp, %0\\n msr control, %1\\n isb" :: "r"(stack + 128), "r"(3) : "memory");
        for (volatile int i = 0; i < 2000; i++) {}
        uint32_t v; __asm volatile("mrs %0, control" : "=r"(v)); out[5] = v;
        __asm volatile("mov %0, sp" : "=r"(v)); out[6] = v - (uint32_t)stack; for (;;) WFI();
    """
    twin = booted(boot, body, extra)
    assert words(twin)[3] > 10
    assert words(twin)[4:6] == [15, 3]
    assert 0 < words(twin)[6] <= 512
    assert not twin.warnings


@given(st.integers(5, 20), st.integers(0, 255), st.integers(0, 0xFFFF_FFFF), st.integers(0, 7), st.booleans())
def test_a_region_holds_its_bytes_without_the_disabled_eighths(
    bits: int, disabled: int, address: int, ap: int, privileged: bool
) -> None:
    size = 1 << bits
    region = MpuRegion(0x2000_0000, ap << 24 | disabled << 8 | (bits - 1) << 1 | 1)
    offset = address % (2 * size)
    off = bits >= 8 and disabled >> (offset * 8 // size) & 1 if offset < size else True
    assert region.holds(0x2000_0000 + offset) == (not off)
    rights = region.rights(privileged)
    assert rights in (0, READ | EXECUTE, READ | WRITE | EXECUTE)
    assert region.rights(False) & ~region.rights(True) == 0, "privileged code may do no less"


def test_the_highest_region_decides_and_the_background_is_privileged() -> None:
    mpu = MpuRegions()
    mpu.control = 1 | 4
    mpu.regions[0] = MpuRegion(0x2000_0000, 3 << 24 | 19 << 1 | 1)
    mpu.regions[5] = MpuRegion(0x2000_1000, 1 << 28 | 6 << 24 | 11 << 1 | 1)
    assert mpu.rights(0x2000_0000, False) == READ | WRITE | EXECUTE
    assert mpu.rights(0x2000_1000, True) == READ
    assert mpu.rights(0x0800_0000, True) == READ | WRITE | EXECUTE
    assert mpu.rights(0x0800_0000, False) == 0
    assert mpu.rights(0x4000_0000, True) == READ | WRITE
