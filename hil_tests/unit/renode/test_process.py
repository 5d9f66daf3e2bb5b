"""Renode as a child: whatever ends hil ends it too."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from hil.errors import BoardError
from hil.renode.ports import check_free, free_ports
from hil.renode.process import RenodeProcess
from hil_tests.patience import PATIENCE_S, eventually

# Two generations: the shell, and a program that it starts.
FAMILY = ["sh", "-c", "echo $$; sleep 300 & echo $!; wait"]
STUBBORN = ["sh", "-c", "trap '' TERM; echo $$; while true; do sleep 0.2; done"]


def pids_in(log: Path, count: int) -> list[int]:
    def found() -> list[str]:
        return log.read_text().split() if log.exists() else []

    eventually(lambda: len(found()) >= count, "the program did not start")
    return [int(word) for word in found()[:count]]


def await_the_end_of(pids: list[int]) -> None:
    eventually(lambda: not any(alive(pid) for pid in pids), "it lives on")


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_stop_ends_the_program_and_what_it_started(tmp_path: Path) -> None:
    process = RenodeProcess(FAMILY, tmp_path / "log", tmp_path)
    pids = pids_in(tmp_path / "log", 2)
    process.check()
    process.stop()
    process.stop()
    await_the_end_of(pids)


def test_a_program_deaf_to_the_request_is_ended_by_force(tmp_path: Path) -> None:
    process = RenodeProcess(STUBBORN, tmp_path / "log", tmp_path)
    pids = pids_in(tmp_path / "log", 1)
    process.stop()
    await_the_end_of(pids)


def test_a_killed_hil_takes_it_along(tmp_path: Path) -> None:
    script = (
        "import sys, time; from pathlib import Path; from hil.renode.process import RenodeProcess\n"
        f"p = RenodeProcess({FAMILY!r}, Path({str(tmp_path / 'log')!r}), Path({str(tmp_path)!r}))\n"
        "time.sleep(300)"
    )
    parent = subprocess.Popen([sys.executable, "-c", script])
    pids = pids_in(tmp_path / "log", 2)
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    await_the_end_of(pids)


def test_its_end_is_told_with_code_and_last_words(tmp_path: Path) -> None:
    process = RenodeProcess(["sh", "-c", "echo something broke >&2; exit 3"], tmp_path / "log", tmp_path)
    assert process.wait(PATIENCE_S)
    with pytest.raises(BoardError, match="exit code 3: something broke"):
        process.check()
    process.stop()


def test_a_program_that_is_not_there(tmp_path: Path) -> None:
    process = RenodeProcess([str(tmp_path / "nothing")], tmp_path / "log", tmp_path)
    assert process.wait(PATIENCE_S)
    with pytest.raises(BoardError, match=r"exit code 127.*No such file"):
        process.check()
    process.stop()


def test_free_ports_differ_and_can_be_used() -> None:
    ports = free_ports(8)
    assert len(set(ports)) == 8
    check_free(ports[0], "--gdb")


def test_a_taken_port_is_named() -> None:
    import socket

    with socket.create_server(("0.0.0.0", 0)) as server:
        port = server.getsockname()[1]
        with pytest.raises(BoardError, match=rf"port {port} cannot be used \(--gdb\)"):
            check_free(port, "--gdb")


def test_the_group_is_not_ours(tmp_path: Path) -> None:
    process = RenodeProcess(FAMILY, tmp_path / "log", tmp_path)
    assert process.group != os.getpgrp(), "Ctrl-C in the terminal must not reach it"
    process.stop()
