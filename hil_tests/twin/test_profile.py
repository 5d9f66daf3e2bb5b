"""Profiles of firmware: cycles add up, the shadow stack follows calls, C and Python agree."""

from __future__ import annotations

import ctypes
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from hil.cli.entry import main
from hil.deploy.build import prepare_toolchain
from hil.errors import ToolchainError, UsageError
from hil.twin import Twin, load_image
from hil.twin.console import run_console
from hil.twin.memory import FLASH_BASE
from hil.twin.profile import Class, FunctionCost, Profile
from hil.twin.profile.records import CROWD, NODES, Node
from hil.twin.profile.result import CROWDED
from hil.twin.timing.calibration.build import FLASH, build_network
from hil.twin.timing.calibration.measure import ACR_216_MHZ, CACHES_ON
from hil.twin.timing.calibration.networks import agilenn_extractor
from hil.twin.timing.model import Timing
from hil_tests.twin.conftest import Boot
from hil_tests.twin.ctrl_c import press_ctrl_c
from hil_tests.twin.test_timing import MEMORY

pytestmark = pytest.mark.twin

Build = Callable[[str], Path]
TIMED = [timing for timing in Timing if timing is not Timing.INSTRUCTIONS]

CALLS = r"""
static uint32_t saved[16];
__attribute__((naked, noinline)) uint32_t set_jump(uint32_t *b) {
    ASM("mov r1, sp\n strd r1, lr, [r0]\n add r0, #8\n stmia r0!, {r4-r11}\n movs r0, #0\n bx lr"); }
__attribute__((naked, noinline)) void long_jump(uint32_t *b) {
    ASM("ldrd r1, lr, [r0]\n add r0, #8\n ldmia r0!, {r4-r11}\n mov sp, r1\n movs r0, #1\n bx lr"); }
__attribute__((noinline)) uint32_t leaf(uint32_t n) { for (uint32_t i = 0; i < n; i++) ASM("nop"); return n; }
__attribute__((noinline)) uint32_t fib(uint32_t n) { return n < 2 ? leaf(n) : fib(n - 1) + fib(n - 2); }
__attribute__((naked, noinline)) uint32_t tail(uint32_t n) { ASM("adds r0, #1\n b leaf"); }
__attribute__((noinline)) void deep(uint32_t n) { if (n) deep(n - 1); else long_jump(saved); leaf(3); }
__attribute__((noinline)) void catcher(void) { if (!set_jump(saved)) deep(5); leaf(4); }
__attribute__((naked, noinline)) void maybe(uint32_t (*f)(uint32_t)) {
    ASM("push {r3, lr}\n mov r3, r0\n movs r0, #2\n cmp r3, #0\n it ne\n blxne r3\n pop {r3, pc}"); }
void systick(void) { leaf(5); NVIC_ISPR(0) = 3 << 6; }
void irq6(void) { leaf(6); }
void irq7(void) { leaf(7); }
void main(void) {
    SYST_RVR = 1499; SYST_CVR = 0; SYST_CSR = 7;
    SCB_SHPR(15) = 0x40; NVIC_IPR(6) = 0x20; NVIC_IPR(7) = 0x80; NVIC_ISER(0) = 3 << 6;
    for (uint32_t i = 0; i < 20; i++) {
        out[0] += fib(6) + tail(3);
        catcher();
        maybe(leaf); maybe(0);
        WFI();
    }
    SYST_CSR = 0;
}
"""
THREADS = r"""
static uint32_t stacks[2][128], *left[2], now;
__attribute__((used)) uint32_t *switch_stack(uint32_t *sp) { left[now] = sp; now ^= 1; return left[now]; }
__attribute__((naked)) void pendsv(void) {
    ASM("mrs r0, psp\n stmdb r0!, {r4-r11, lr}\n bl switch_stack");
    ASM("ldmia r0!, {r4-r11, lr}\n msr psp, r0\n bx lr"); }
__attribute__((noinline)) void yield(void) { SCB_ICSR = 1 << 28; ASM("dsb\n isb"); }
__attribute__((noinline)) void work_a(void) { for (int i = 0; i < 9; i++) ASM("nop"); }
__attribute__((noinline)) void work_b(void) { for (int i = 0; i < 5; i++) ASM("nop"); }
__attribute__((noinline)) void thread_b(void) { for (;;) { work_b(); yield(); } }
__attribute__((noinline)) void thread_a(void) {
    for (int i = 0; i < 50; i++) { work_a(); yield(); }
    for (;;) WFI(); }
__attribute__((naked, noinline)) void start(uint32_t *sp) {
    ASM("msr psp, r0\n movs r0, #2\n msr control, r0\n isb\n b thread_a"); }
void main(void) {
    uint32_t *frame = &stacks[1][128 - 17];
    frame[8] = 0xFFFFFFFD; frame[15] = (uint32_t)thread_b & ~1u; frame[16] = 1 << 24;
    left[1] = frame;
    start(&stacks[0][128]);
}
"""


def profiled(build: Build, source: str, seconds: float = 0.02, **options: object) -> Twin:
    twin = Twin(load_image(build(source)), **{"timing": "cycles", "profile": True, **options})  # type: ignore[arg-type]
    twin.run(seconds)
    return twin


def nodes(twin: Twin) -> bytes:
    """The whole tree."""
    recorder = twin._recorder
    assert recorder is not None
    recorder.settle()
    return ctypes.string_at(recorder.nodes, ctypes.sizeof(Node) * recorder.state.node_count)


def calls(profile: Profile) -> dict[str, int]:
    return {";".join(stack.frames): stack.calls for stack in profile.stacks}


def function(profile: Profile, name: str) -> FunctionCost:
    return next(cost for cost in profile.functions if cost.name == name)


def assert_adds_up(twin: Twin) -> None:
    profile = twin.profile()
    spent = twin._state.ticks - twin._machine.clock.slept_ticks
    assert sum(cost.self_ticks for cost in profile.functions) == spent == profile.awake_ticks
    assert sum(stack.self_ticks for stack in profile.stacks) == spent
    assert profile.awake_ticks // 100 == twin.cycles
    assert profile.instructions == twin.instructions
    assert profile.sleep_ticks == twin._machine.clock.slept_ticks
    roots = [stack for stack in profile.stacks if len(stack.frames) == 1]
    assert sum(root.inclusive_ticks for root in roots) == spent


@pytest.mark.parametrize("timing", TIMED)
@pytest.mark.parametrize("source", [MEMORY, CALLS, THREADS], ids=["memory", "calls", "threads"])
def test_what_functions_spend_adds_up_to_every_tick_awake(build: Build, timing: Timing, source: str) -> None:
    twin = profiled(build, source, timing=timing)
    assert_adds_up(twin)
    assert len(twin.profile().functions) >= 5


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Path:
    try:
        toolchain = prepare_toolchain()
    except ToolchainError as error:
        pytest.skip(str(error))
    return build_network(toolchain, agilenn_extractor(), tmp_path_factory.mktemp("network"), FLASH, "-O2")


def test_a_network_of_cmsis_nn_adds_up_and_repeats(network: Path) -> None:
    trees = []
    for _ in range(2):
        twin = Twin(load_image(network), timing="cycles", profile=True)
        twin.call("calibrate_setup", ACR_216_MHZ, CACHES_ON)
        twin.call("hil_model_run", 0)
        assert_adds_up(twin)
        trees.append((nodes(twin), twin.profile()))
    assert trees[0] == trees[1]
    profile = trees[0][1]
    kernel = next(stack for stack in profile.stacks if stack.frames[-1].startswith("arm_nn_"))
    assert kernel.frames[0] == "hil_model_run"
    assert len(kernel.frames) >= 3
    assert profile.cpi[Class.MAC] > 0
    assert profile.cpi[Class.LOAD] > 0


@pytest.mark.parametrize("timing", [Timing.CYCLES, Timing.EXACT])
@pytest.mark.parametrize("source", [MEMORY, CALLS, THREADS], ids=["memory", "calls", "threads"])
def test_native_code_and_python_record_the_same_tree(build: Build, timing: Timing, source: str) -> None:
    native, python = (profiled(build, source, 0.004, timing=timing, native=how) for how in (None, False))
    if not native.native:
        pytest.skip(native.fallback_reason)
    assert nodes(native) == nodes(python)
    assert native.profile() == python.profile()


@pytest.mark.parametrize("timing", [Timing.CYCLES, Timing.EXACT])
def test_profiling_changes_no_cycle(build: Build, timing: Timing) -> None:
    watched, plain = (profiled(build, CALLS, timing=timing, profile=choice) for choice in (True, False))
    assert (watched.cycles, watched.now_s, watched.breakdown) == (plain.cycles, plain.now_s, plain.breakdown)
    with pytest.raises(UsageError, match="no profile"):
        plain.profile()


def test_the_parts_of_a_profile_are_those_of_the_breakdown(build: Build) -> None:
    twin = profiled(build, MEMORY)
    assert twin.breakdown is not None
    found, whole = twin.profile().cpi, twin.breakdown.cycles
    assert found[Class.FETCH] == 100 * whole["fetch"]
    assert found[Class.DATA] == 100 * whole["data"]
    assert found[Class.BRANCH] >= 100 * whole["branch"]
    assert found[Class.ISSUE] < 100 * whole["issue"]


def test_calls_recursion_tail_calls_and_long_jumps_land_where_they_belong(build: Build) -> None:
    profile = profiled(build, CALLS, 0.1).profile()
    counts = calls(profile)
    main_ = "reset;main"
    assert counts[main_] == 1
    assert counts[f"{main_};tail"] == counts[f"{main_};leaf"] == 20, "a tail call replaces its caller"
    assert counts[f"{main_};catcher;deep;deep;deep;deep;deep;deep;long_jump"] == 20
    assert counts[f"{main_};catcher;leaf"] == 20, "after the long jump"
    assert counts[f"{main_};maybe"] == 40
    assert counts[f"{main_};maybe;leaf"] == 20, "a call that is not taken is none"
    assert f"{main_};catcher;deep;leaf" not in counts
    fib = function(profile, "fib")
    assert fib.calls == 20 * 25
    whole = next(stack for stack in profile.stacks if stack.frames == ("reset", "main", "fib"))
    assert fib.inclusive_ticks == whole.inclusive_ticks, "recursion counts once"


def test_handlers_and_sleep_are_roots_of_their_own(build: Build) -> None:
    twin = profiled(build, CALLS, 0.1)
    counts = calls(twin.profile())
    times = counts["[SysTick]"]
    assert times >= 20
    assert counts["[SysTick];systick;leaf"] == counts["[interrupt 6]"] == counts["[interrupt 7]"] == times
    assert counts["[interrupt 6];irq6;leaf"] == counts["[interrupt 7];irq7;leaf"] == times
    chained, last = (function(twin.profile(), f"[interrupt {irq}]") for irq in (6, 7))
    assert chained.self_ticks == chained.cpi[Class.OTHER] == times * 1200, "twelve cycles in"
    assert last.self_ticks == last.cpi[Class.OTHER] == times * 2400, "and out, after the last one"
    assert twin.profile().sleep_ticks > twin.profile().awake_ticks


def test_threads_keep_their_stacks(build: Build) -> None:
    counts = calls(profiled(build, THREADS, 0.1).profile())
    assert counts["thread_b;work_b"] == counts["thread_b;yield"] == 50
    assert next(count for path, count in counts.items() if path.endswith("thread_a;work_a")) == 50
    assert counts["[PendSV];pendsv;switch_stack"] == 100
    assert [path for path in counts if path.startswith("reset") and "_b" in path] == []


def test_code_without_symbols_is_told_by_where_it_was_called(build: Build, tmp_path: Path) -> None:
    elf = load_image(build(CALLS))
    raw = tmp_path / "raw.bin"
    image = bytearray()
    for segment in (each for each in elf.segments if each.data):
        offset = segment.load_address - FLASH_BASE
        image.extend(bytes(max(0, offset + len(segment.data) - len(image))))
        image[offset : offset + len(segment.data)] = segment.data
    raw.write_bytes(image)
    twin = Twin(load_image(raw), timing="cycles", profile=True)
    twin.run(0.02)
    assert_adds_up(twin)
    entry, fib = (f"0x{elf.symbols[name] & ~1:08x}" for name in ("reset", "fib"))
    assert next(iter(calls(twin.profile()))) == entry
    assert function(twin.profile(), fib).calls == 20 * 25


def test_a_stack_without_end_costs_contexts_but_no_tick(build: Build) -> None:
    source = """
        __attribute__((noinline)) uint32_t down(uint32_t n) { return n ? down(n - 1) + 1 : 0; }
        void main(void) { out[0] = down(3000); }
    """
    twin = profiled(build, source, 0.1)
    assert_adds_up(twin)
    assert function(twin.profile(), "down").calls == 3001
    assert max(len(stack.frames) for stack in twin.profile().stacks) < 4000


def test_more_contexts_than_the_tree_holds_cost_callers_but_no_tick(build: Build) -> None:
    source = """
        void right(uint32_t n);
        __attribute__((noinline)) void left(uint32_t n) { if (n) { left(n - 1); right(n - 1); } ASM("nop"); }
        __attribute__((noinline)) void right(uint32_t n) { if (n) { left(n - 1); right(n - 1); } ASM("nop"); }
        void main(void) { left(8); }
    """
    native, python = (
        Twin(load_image(build(source)), timing="issue", profile=True, native=how) for how in (None, False)
    )
    for twin in (native, python):
        assert twin._recorder is not None
        twin._recorder.state.node_count = NODES - CROWD - 9
        twin.run(0.02)
        assert_adds_up(twin)
        left, right = (function(twin.profile(), name).calls for name in ("left", "right"))
        assert left == right + 1 == 1 << 8
    assert native.profile().stacks[0].frames == (CROWDED,)
    assert nodes(native) == nodes(python)


def test_a_reset_begins_a_new_stack(build: Build) -> None:
    source = """
        __attribute__((noinline)) void again(void) { SCB_AIRCR = 0x05FA0004; for (;;) {} }
        void main(void) { if (!(RCC_CSR & 1 << 28)) again(); }
    """
    twin = profiled(build, source)
    assert calls(twin.profile())["reset"] == 1
    twin.run(0.04)
    assert_adds_up(twin)
    assert calls(twin.profile()) == {"reset": 2, "reset;main": 2, "reset;main;again": 1}


def test_a_crash_still_has_its_profile(build: Build) -> None:
    source = "__attribute__((noinline)) void bad(void) { REG(0x60000000) = 1; } void main(void) { bad(); }"
    given: list[Profile] = []
    warned: list[str] = []
    run_console(build(source), {}, 0.1, warned.append, timing="cycles", on_profile=given.append)
    assert "BusFault" in warned[0]
    assert "locked up" in warned[-1]
    assert calls(given[0])["reset;bad"] == 1


def test_ctrl_c_still_writes_the_profile(build: Build) -> None:
    given: list[Profile] = []
    image = build(CALLS)
    pressing = press_ctrl_c()
    assert run_console(image, {}, None, timing="cycles", on_profile=given.append) == 0
    pressing.join()
    assert given[0].awake_ticks > 0


def test_the_command_writes_three_files_and_a_table(
    build: Build, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "new" / "folder"
    assert main(["twin", str(build(CALLS)), "--profile", str(folder), "--seconds", "0.02"]) == 0
    shown = capfd.readouterr()
    assert shown.out == "", "standard output belongs to the firmware"
    assert "load-use" in shown.err
    assert "fib" in shown.err
    values = json.loads((folder / "profile.json").read_text())
    assert values["totals"]["awake_ticks"] == sum(each["self_ticks"] for each in values["functions"])
    assert values["totals"]["awake_ticks"] == sum(each["self_ticks"] for each in values["stacks"])
    assert "\nreset;main;fib;fib " in (folder / "profile.folded").read_text()
    assert (folder / "flame.svg").read_text().startswith("<svg")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--profile", "--timing", "instructions"], "counts cycles"),
        (["--profile", "/proc/nowhere"], "cannot write"),
        (["somewhere"], "what is somewhere for?"),
        (["--profile", "--timing", "fast"], "'fast' is no timing"),
    ],
)
def test_what_cannot_be_profiled_is_refused_before_the_run(
    build: Build, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str],
    options: list[str], message: str,
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    assert main(["twin", str(build(CALLS)), *options]) == 2
    assert message in capfd.readouterr().err
    assert not list(tmp_path.glob("*.profile"))


def test_a_twin_that_counts_instructions_has_no_profile(boot: Boot) -> None:
    with pytest.raises(UsageError, match="counts cycles"):
        boot(CALLS, profile=True)
