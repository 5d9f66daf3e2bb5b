"""Runs one of `python/`: python -m hil_tests.fuzz.python_target NAME PROGRAM [libFuzzer's options] FOLDER…

PROGRAM is what calls this again, with other options.

By atheris, which follows the coverage of `hil`; where that is not installed by hypothesis, which changes
sound inputs without looking.
"""

from __future__ import annotations

import importlib
import logging
import re
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path


def main() -> None:
    name, program, *arguments = sys.argv[1:]
    logging.disable()  # a line for every refused input would drown the fuzzer's own
    module = f"hil_tests.fuzz.python.{name}"
    try:
        import atheris
    except ImportError:
        sys.exit(by_hypothesis(importlib.import_module(module).one, arguments))
    with atheris.instrument_imports(include=["hil"]):
        one = importlib.import_module(module).one
        firmware_library = importlib.import_module("hil_tests.fuzz.firmware_library")
    firmware_library.is_there()  # to compile it is no part of the first input's time
    atheris.Setup([program, *arguments], one)
    atheris.Fuzz()


def by_hypothesis(one: Callable[[bytes], None], arguments: list[str]) -> int:
    """Understands as much of libFuzzer's options as `campaign` gives; returns the exit code."""
    from hypothesis import HealthCheck, Phase, given, settings
    from hypothesis import strategies as st

    options = dict(re.findall(r"^-(\w+)=(.*)$", "\n".join(arguments), re.MULTILINE))
    folders = [Path(argument) for argument in arguments if not argument.startswith("-")]
    inputs = [file.read_bytes() for folder in folders if folder.is_dir() for file in folder.iterdir()]
    if "merge" in options:
        print("nothing is minimised without atheris")
        return 1
    ends_s = time.monotonic() + float(options.get("max_total_time", "60"))
    executed, latest = 0, b""

    def attempt(data: bytes) -> None:
        nonlocal executed, latest
        executed, latest = executed + 1, data
        one(data)

    changes = st.lists(st.tuples(st.integers(0, 4095), st.binary(max_size=4), st.integers(0, 4)), max_size=6)

    @settings(max_examples=200, database=None, deadline=None, suppress_health_check=list(HealthCheck),
              phases=[Phase.generate, Phase.shrink])  # fmt: skip
    @given(sound=st.sampled_from(inputs or [b""]), changes=changes, noise=st.none() | st.binary(max_size=200))
    def some(sound: bytes, changes: list[tuple[int, bytes, int]], noise: bytes | None) -> None:
        data = sound if noise is None else noise
        for at, new, gone in changes:
            place = at % (len(data) + 1)
            data = data[:place] + new + data[place + gone :]
        attempt(data)

    try:
        for content in inputs:
            attempt(content)
        while time.monotonic() < ends_s:
            some()
    except Exception:
        traceback.print_exc()
        Path(options.get("artifact_prefix", "") + "crash-by-hypothesis").write_bytes(latest)
        return 1
    finally:
        print(f"stat::number_of_executed_units: {executed}")
    return 0


if __name__ == "__main__":
    main()
