"""One target for some time: seeds and kept inputs in, figures and findings out."""

from __future__ import annotations

import hashlib
import os
import re
import shlex
import subprocess
import sys
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from hil_tests.fuzz.build import build
from hil_tests.fuzz.target import CTarget, PythonTarget, Target

ONE_INPUT_S = 60
"""So long may one input take, on the clock: longer is a finding. A hundred times what the slowest takes on a
machine that has ten others to do."""
MEMORY_MB = 2048
_COVERED = re.compile(rb"cov: (\d+) ft: (\d+) corp: (\d+)")
_EXECUTED = re.compile(rb"number_of_executed_units:\s+(\d+)")


@dataclass(frozen=True)
class Campaign:
    """What came of it."""

    target: str
    seconds: float
    """On the clock."""
    cpu_s: float
    executions: int
    edges: int
    """Of the control flow, taken by some input."""
    features: int
    """Edges, how often they were taken, and comparisons, as libFuzzer counts them."""
    inputs: int
    findings: tuple[Path, ...]
    failed: bool
    """Also true where no input was kept, for example at a leak."""
    words: str
    """The end of what it said."""


def seed(target: Target, folder: Path) -> Path:
    """The target's sound inputs in `folder`, which is made."""
    folder.mkdir(parents=True, exist_ok=True)
    for content in target.seeds():
        (folder / hashlib.sha256(content).hexdigest()[:16]).write_bytes(content)
    return folder


def program(target: Target, folder: Path) -> list[str]:
    """How the target is run; compiled into `folder` where it has to be."""
    folder.mkdir(parents=True, exist_ok=True)
    if isinstance(target, CTarget):
        return [str(build(target, folder))]
    assert isinstance(target, PythonTarget)
    # libFuzzer calls its own program again while it merges, by the name that it was called by.
    script = folder / target.name
    command = shlex.join([sys.executable, "-m", "hil_tests.fuzz.python_target", target.name])
    script.write_text(f'#!/bin/sh\nexec {command} "$0" "$@"\n')
    script.chmod(0o755)
    return [str(script)]


def run(target: Target, seconds: float, folder: Path, *, seed_number: int = 0) -> Campaign:
    """Runs `target` for `seconds`, or until a finding. What it learns stays in `folder`.

    `seed_number` 0 tries other inputs every time.
    """
    command = program(target, folder / "program")
    findings, learnt = folder / "findings", folder / "inputs"
    for made in (findings, learnt):
        made.mkdir(parents=True, exist_ok=True)
    before = set(findings.iterdir())
    inputs = [learnt, seed(target, folder / "seeds"), *([target.corpus] if target.corpus.is_dir() else [])]
    options = [
        f"-max_total_time={max(1, round(seconds))}",
        f"-timeout={ONE_INPUT_S}",
        f"-rss_limit_mb={MEMORY_MB}",
        f"-max_len={target.longest}",
        f"-artifact_prefix={findings}/",
        f"-seed={seed_number}",
        "-print_final_stats=1",
        "-reload=0",
    ]
    began_s = time.monotonic()
    status, cpu_s, said = _watch([*command, *options, *map(str, inputs)], folder / "log.txt")
    covered, executed = _COVERED.findall(said), _EXECUTED.findall(said)
    edges, features, kept = map(int, covered[-1]) if covered else (0, 0, 0)
    found = tuple(sorted(set(findings.iterdir()) - before))
    return Campaign(
        target.name,
        time.monotonic() - began_s,
        cpu_s,
        int(executed[-1]) if executed else 0,
        edges,
        features,
        kept,
        found,
        status != 0,
        said[-3000:].decode(errors="replace"),
    )


def minimise(target: Target, folder: Path) -> int:
    """Keeps an input for every edge that any of the inputs in `folder` and of those kept takes.

    Inputs with a name of their own, which once were findings, stay. Returns the bytes kept.
    """
    command = program(target, folder / "program")
    chosen = folder / "chosen"
    chosen.mkdir(exist_ok=True)
    for old in chosen.iterdir():
        old.unlink()
    target.corpus.mkdir(parents=True, exist_ok=True)
    sources = [target.corpus, folder / "inputs", folder / "seeds"]
    options = ["-merge=1", "-use_counters=0", f"-timeout={ONE_INPUT_S}", f"-rss_limit_mb={MEMORY_MB}"]
    present = [str(source) for source in sources if source.is_dir()]
    status, _, said = _watch([*command, *options, str(chosen), *present], folder / "merge.txt")
    if status != 0:
        raise RuntimeError(said[-2000:].decode(errors="replace"))
    for old in target.corpus.iterdir():
        if re.fullmatch("[0-9a-f]{16}", old.name):
            old.unlink()
    for new in chosen.iterdir():
        content = new.read_bytes()
        (target.corpus / hashlib.sha256(content).hexdigest()[:16]).write_bytes(content)
    return size(target.corpus.iterdir())


def size(files: Iterable[Path]) -> int:
    """Bytes of all."""
    return sum(file.stat().st_size for file in files)


def _watch(command: list[str], log: Path) -> tuple[int, float, bytes]:
    """Exit status, seconds of processor time, and what it said, which is kept in `log`."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    with log.open("wb") as file:
        process = subprocess.Popen(
            command, stdout=file, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, env=environment
        )
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    return process.returncode, used.ru_utime + used.ru_stime, log.read_bytes()
