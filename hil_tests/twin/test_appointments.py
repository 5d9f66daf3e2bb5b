"""What is done to a core at a certain instruction happens there."""

from __future__ import annotations

import pytest

from hil.twin import ResetCause, StopReason
from hil_tests.twin.conftest import Boot, words

pytestmark = pytest.mark.twin

COUNTS = "void main(void) { for (uint32_t i = 0; i < 100000; i++) out[0] = i; out[1] = 1; }"
CAUSE = r"""
void main(void) { out[0] = RCC_CSR >> 24; out[1] = out[2]++; RCC_CSR = 1 << 24; for (;;) WFI(); }
"""


@pytest.mark.parametrize("count", [1, 500, 501, 777, 12_345])
def test_an_exact_action_comes_at_its_instruction_or_behind_its_it_block(boot: Boot, count: int) -> None:
    twin = boot(COUNTS)
    seen: list[int] = []
    twin.at_instruction(count, lambda: seen.append(twin.instructions), exact=True)
    twin.run(0.01)
    assert count <= seen[0] <= count + 4
    assert len(seen) == 1


def test_any_other_action_comes_at_the_next_block(boot: Boot) -> None:
    twin, undisturbed = boot(COUNTS), boot(COUNTS)
    seen: list[int] = []
    for count in (2000, 1000):
        twin.at_instruction(count, lambda: seen.append(twin.instructions))
    twin.run(0.001)
    undisturbed.run(0.001)
    assert [1000 <= first < 1100 <= 2000 <= second < 2100 for first, second in [seen]] == [True]
    assert (twin.instructions, twin.cycles) == (undisturbed.instructions, undisturbed.cycles)


def test_what_an_action_writes_is_what_the_core_reads(boot: Boot) -> None:
    twin = boot("void main(void) { while (!out[3]) out[0]++; out[1] = out[3]; }")
    place = twin.symbol("out")
    twin.at_instruction(5000, lambda: twin.write(place + 12, b"\x07\0\0\0"))
    twin.run(0.01)
    assert words(twin)[1] == 7
    assert 0 < words(twin)[0] < 5000


def test_an_action_of_a_core_that_falls_asleep_just_before_comes_then(boot: Boot) -> None:
    twin = boot("void main(void) { out[0] = 1; for (;;) WFI(); }")
    probe = boot("void main(void) { out[0] = 1; for (;;) WFI(); }")
    probe.run(0.001)
    seen: list[int] = []
    twin.at_instruction(probe.instructions + 3, lambda: seen.append(twin.instructions), exact=True)
    assert twin.run(0.001).reason is StopReason.TIME
    assert len(seen) == 1


def test_a_brown_out_keeps_ram_and_tells_its_cause(boot: Boot) -> None:
    twin = boot(CAUSE)
    twin.run(0.001)
    assert words(twin)[0] & 0x0E == 0x0E  # the supply came: POR, BOR and the pin
    twin.brown_out()
    stop = twin.run(0.002)
    assert (stop.reason, stop.detail) == (StopReason.RESET, ResetCause.BROWN_OUT)
    twin.run(0.003)
    assert words(twin)[0] & 0x0E == 0x06, "BOR and the pin"


def test_a_core_that_hangs_executes_nothing_more(boot: Boot) -> None:
    twin = boot(COUNTS)
    twin.at_instruction(3000, twin.hang)
    twin.run(0.01)
    stopped = twin.instructions
    twin.run(0.02)
    assert twin.instructions == stopped < 3100
    assert twin.locked_up
    assert words(twin)[1] == 0
