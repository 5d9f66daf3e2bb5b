"""Ctrl-C ends a run from a safe place."""

from __future__ import annotations

import signal
import subprocess
import sys
import time

import pytest

EMULATE = """
import sys, unicorn
from unicorn.arm_const import UC_CPU_ARM_CORTEX_M7
from hil.cli import interrupts

interrupts.install()
swallowed = []
sys.unraisablehook = swallowed.append
engine = unicorn.Uc(unicorn.UC_ARCH_ARM, unicorn.UC_MODE_THUMB | unicorn.UC_MODE_MCLASS)
engine.mem_map(0, 4096)
engine.mem_write(0, bytes.fromhex("00bf") * 256)
engine.hook_add(unicorn.UC_HOOK_CODE, lambda *_: sum(range(50)))
print("ready", flush=True)
try:
    while True:
        engine.emu_start(1, 512)
        sum(range(500))
except (KeyboardInterrupt, SystemExit) as interrupt:
    print(type(interrupt).__name__, len(swallowed))
"""


@pytest.mark.parametrize(
    ("number", "raised"), [(signal.SIGINT, "KeyboardInterrupt"), (signal.SIGTERM, "SystemExit")]
)
def test_a_signal_is_never_lost_in_the_emulator(number: signal.Signals, raised: str) -> None:
    process = subprocess.Popen([sys.executable, "-c", EMULATE], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    time.sleep(0.1)
    process.send_signal(number)
    out, _ = process.communicate(timeout=20)
    assert out == f"{raised} 0\n"
