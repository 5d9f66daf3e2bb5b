"""Two kinds of time: the chip's clocks stand still in Stop, elapsed time does not."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from hil.twin.clock import SECOND_FS, Clock
from hil.twin.scheduler import Scheduler
from hil.twin.state import CoreState


def test_a_stop_holds_back_clocked_alarms_only() -> None:
    clock, scheduler, fired = Clock(CoreState(), 16_000_000), Scheduler(), []
    scheduler.stopped_fs = lambda: clock.stopped_fs
    scheduler.alarm(lambda: fired.append("clocked")).set(1000)
    scheduler.always_alarm(lambda: fired.append("always")).set(5000)
    assert scheduler.next_fs() == 1000
    clock.stop_until(5000)
    assert scheduler.next_fs() == 0
    scheduler.run_due(clock.now_fs)
    assert fired == ["always"]
    assert (scheduler.next_fs(), scheduler.next_always_fs()) == (1000, None)


@given(st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 10**12)), max_size=20))
def test_a_time_on_the_clocks_is_found_again_in_elapsed_time(parts: list[tuple[int, int]]) -> None:
    """Bytes that left before a stop keep the time at which they left."""
    state = CoreState()
    clock = Clock(state, 16_000_000)
    seen = []
    for cycles, stop_fs in parts:
        clock.spend(cycles)
        seen.append((clock.now_fs, clock.elapsed_fs))
        clock.stop_until(clock.elapsed_fs + stop_fs)
        clock.spend(1)
    assert [clock.elapsed_at(now) for now, _ in seen] == [elapsed for _, elapsed in seen]
    assert clock.elapsed_fs - clock.now_fs == sum(stop for _, stop in parts)
    assert clock.now_fs < SECOND_FS * 2


def test_cycles_do_not_pass_in_stop() -> None:
    clock = Clock(CoreState(), 16_000_000)
    clock.stop_until(SECOND_FS)
    assert (clock.cycles, clock.now_fs, clock.elapsed_fs) == (0, 0, SECOND_FS)
