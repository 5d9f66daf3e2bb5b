"""Ctrl-C in the middle of a run with a real child process."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

from hil_tests.patience import PATIENCE_S, eventually
from hil_tests.unit.server.test_process import ROOT, await_the_end_of

RUN = """
import pathlib, sys
from hil import interrupts
from hil.server.process import ServerProcess
from hil_tests.unit.session.fakes import run_fake
interrupts.install()  # as the command line does
with ServerProcess([sys.executable, "-m", "hil_tests.unit.server.fake_remote", "four"]) as server:
    print(server.pid, flush=True)
    run_fake(pathlib.Path(sys.argv[1]), server=server, n=1_000_000)
"""


def test_ctrl_c_leaves_a_valid_partial_folder_and_no_child(tmp_path):
    run = subprocess.Popen(
        [sys.executable, "-c", RUN, str(tmp_path)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path])},
    )
    child = int(run.stdout.readline())
    samples = _wait_for_samples(tmp_path / "runs")
    run.send_signal(signal.SIGINT)
    _, errors = run.communicate(timeout=PATIENCE_S)
    assert "KeyboardInterrupt" in errors.splitlines()[-1]
    await_the_end_of(child)
    summary = json.loads((samples.parent / "summary.json").read_text())
    assert summary["partial"] is True
    assert summary["samples"] == len(samples.read_text().splitlines()) - 1 > 0
    assert summary["outcomes"]["answered"] == summary["samples"]
    assert (samples.parent / "server.log").read_text() == "loaded\n"
    for name in ("events.jsonl", "wire.jsonl"):
        for line in (samples.parent / name).read_text().splitlines():
            json.loads(line)


def _wait_for_samples(runs: Path) -> Path:
    def long_enough() -> list[Path]:
        return [path for path in runs.glob("*/samples.csv") if path.read_text().count("\n") > 3]

    eventually(long_enough, "the run did not get going")
    return long_enough()[0]
