"""A twin that a process puts on the desk for itself leaves it with that process."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from hil.probe import registry
from hil.probe.client import DeskClient
from hil.twin.desk.lent import lent
from hil_tests.patience import eventually

pytestmark = pytest.mark.twin

HOLDER = """
import sys, time
from pathlib import Path
from hil.twin.desk.lent import lent
if __name__ == "__main__":
    with lent("disco_f746g", Path(sys.argv[1])) as entry:
        print(entry.unique_id, flush=True)
        time.sleep(600)
"""


def test_it_answers_while_it_is_wanted_and_its_flash_is_a_fresh_chips(tmp_path: Path) -> None:
    with lent("nucleo_f746zg", tmp_path / "flash.bin") as entry:
        assert registry.find(entry.unique_id) == entry
        with DeskClient(entry) as client:
            assert client.call("state")["board"] == "nucleo_f746zg"
            eventually(lambda: bool(client.call("state")["locked_up"]))  # there is no firmware yet
    assert registry.find(entry.unique_id) is None
    assert set((tmp_path / "flash.bin").read_bytes()) == {0xFF}


def test_it_does_not_outlive_a_process_that_is_killed(tmp_path: Path) -> None:
    script = tmp_path / "holder.py"
    script.write_text(HOLDER)
    holder = subprocess.Popen(
        [sys.executable, str(script), str(tmp_path / "flash.bin")], stdout=subprocess.PIPE, text=True
    )
    assert holder.stdout is not None
    unique_id = holder.stdout.readline().strip()
    assert registry.find(unique_id) is not None
    holder.kill()
    holder.communicate()
    eventually(lambda: registry.find(unique_id) is None)
