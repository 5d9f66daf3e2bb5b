"""The bound on the stack, read from machine code."""

from __future__ import annotations

from pathlib import Path

import pytest

from hil.deploy.stack import EXCEPTION_BYTES, PRIORITIES, SPARE_BYTES, Stack, worst_stack
from hil.deploy.toolchain import find_compiler
from hil.errors import BuildError
from hil_tests.twin import firmware_image as fake
from hil_tests.twin.firmware import build_firmware

pytestmark = pytest.mark.twin

INTERRUPTS = len(PRIORITIES) * EXCEPTION_BYTES
WORKER = """
__attribute__((noinline)) static uint32_t worker(uint32_t n) {
    volatile uint32_t room[100];
    for (uint32_t i = 0; i < 100; i++) room[i] = n + i;
    return room[n % 100];
}
"""


def stack_of(source: str, folder: Path) -> tuple[int, tuple[str, ...]]:
    """Bytes from `reset` on, without the interrupts."""
    stack = worst_stack(build_firmware(source, folder), find_compiler(), entry="reset")
    return stack.bytes - INTERRUPTS, stack.path


def test_frames_add_up_along_the_deepest_path(tmp_path: Path) -> None:
    source = (
        WORKER
        + """
        __attribute__((noinline)) static uint32_t shallow(uint32_t n) { ASM(""); return n + 1; }
        void main(void) { out[0] = worker(out[1]); out[2] = shallow(out[1]); }
    """
    )
    needed, path = stack_of(source, tmp_path)
    assert path == ("reset", "main", "worker")
    assert 400 < needed < 460


def test_a_function_behind_a_pointer_counts(tmp_path: Path) -> None:
    source = (
        WORKER
        + """
        uint32_t (*const table[1])(uint32_t) = {worker};
        void main(void) { out[0] = ((uint32_t (*volatile *)(uint32_t))table)[0](out[1]); }
    """
    )
    needed, path = stack_of(source, tmp_path)
    assert path == ("reset", "main", "worker")
    assert needed > 400


@pytest.mark.parametrize(
    ("source", "why"),
    [
        (
            """
        __attribute__((noinline)) uint32_t again(uint32_t n) {
            volatile uint32_t kept = n; return n ? kept + again(n - 1) * 3 : 0; }
        void main(void) { out[0] = again(out[1]); }
    """,
            "reset → main → again → again is a recursion",
        ),
        (
            """
        void main(void) { volatile uint8_t room[out[1]]; for (uint32_t i = 0; i < out[1]; i++) room[i] = 1;
            out[0] = room[0]; }
    """,
            "reset → main has an array of variable length",
        ),
    ],
)
def test_a_stack_without_a_bound_is_refused(source: str, why: str, tmp_path: Path) -> None:
    with pytest.raises(BuildError, match=why):
        stack_of(source, tmp_path)


def test_the_firmware_stays_within_what_is_reserved_where_nobody_asked() -> None:
    stack = worst_stack(fake.shared(), find_compiler())
    assert stack.path[0] == "Reset_Handler"
    assert 500 < stack.bytes < stack.reserve_bytes <= 2048


def test_what_is_reserved_has_some_to_spare() -> None:
    assert Stack(1000, ()).reserve_bytes == 1152
    assert Stack(1024 - SPARE_BYTES, ()).reserve_bytes == 1024
