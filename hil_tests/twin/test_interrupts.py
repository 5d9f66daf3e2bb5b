"""A signal that comes while the emulator is in a callback is neither lost nor visible to the firmware."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from hil_tests.patience import PATIENCE_S

pytestmark = pytest.mark.twin

# Reads the chip's identity for ever and counts the reads that gave anything else.
POLL = """
void main(void) {
    for (;;) {
        out[0]++;
        out[1] += REG(0xE0042000) != 0x10016449u;
    }
}
"""

RUN = """
import sys
from pathlib import Path
from hil import interrupts
from hil.twin import Twin, load_image

interrupts.install()
lost = []
sys.unraisablehook = lost.append
twin = Twin(load_image(Path(sys.argv[1])))
twin.run(0.001)
print("ready", flush=True)
try:
    while True:
        twin.run(twin.now_s + 0.001)
except (KeyboardInterrupt, SystemExit) as interrupt:
    reads, wrong = (int.from_bytes(twin.read(twin.symbol("out") + at, 4), "little") for at in (0, 4))
    print(type(interrupt).__name__, len(lost), wrong, reads > 100)
"""


@pytest.mark.parametrize(
    ("number", "raised"), [(signal.SIGINT, "KeyboardInterrupt"), (signal.SIGTERM, "SystemExit")]
)
@pytest.mark.parametrize("delay_s", [0.05, 0.11, 0.23])
def test_a_signal_unwinds_between_two_slices(
    build: Callable[[str], Path], number: signal.Signals, raised: str, delay_s: float
) -> None:
    command = [sys.executable, "-c", RUN, str(build(POLL))]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    time.sleep(delay_s)
    process.send_signal(number)
    out, _ = process.communicate(timeout=PATIENCE_S)
    assert out == f"{raised} 0 0 True\n"
