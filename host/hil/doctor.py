"""What hil finds on this machine, and what to do about what it does not. Prints nothing."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import shutil
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

from hil.errors import HilError
from hil.paths import cache_dir

DISK_NEEDED_BYTES: Final = 500 << 20
"""CMSIS-NN, firmware, bundles and run folders of some weeks."""


class Status(StrEnum):
    OK = "ok"
    MISSING = "missing"
    """Something does not work without it."""
    OPTIONAL = "optional"
    """Absent, and only some use of hil wants it."""


@dataclass(frozen=True)
class Check:
    """One finding."""

    name: str
    status: Status
    detail: str
    hint: str = ""


def examine() -> list[Check]:
    """All checks, in the order a run needs things. A check that raises is itself a finding."""
    return [_guarded(name, check) for name, check in _CHECKS.items()]


def healthy(checks: list[Check]) -> bool:
    return all(check.status is not Status.MISSING for check in checks)


def _guarded(name: str, check: Callable[[str], Check]) -> Check:
    try:
        return check(name)
    except HilError as error:
        return Check(name, Status.MISSING, error.message, error.hint)
    except Exception as error:
        return Check(name, Status.MISSING, f"{type(error).__name__}: {error}", "report this with -v")


def _python(name: str) -> Check:
    return Check(name, Status.OK, f"{sys.version.split()[0]} at {sys.executable}")


def _compiler(name: str) -> Check:
    from hil.deploy.toolchain import find_compiler

    found = find_compiler()
    return Check(name, Status.OK, f"{found.version} at {found.path}")


def _cmsis_nn(name: str) -> Check:
    from hil.deploy.toolchain import find_cmsis

    return Check(name, Status.OK, find_cmsis().origin)


def _program(name: str) -> Check:
    from hil.deploy.toolchain import find_program

    return Check(name, Status.OK, str(find_program(name)))


def _package(name: str) -> Check:
    if importlib.util.find_spec(name) is None:
        return Check(name, Status.MISSING, "not installed", "type: pip install -e . (tools/hil does)")
    return Check(name, Status.OK, importlib.metadata.version(name))


def _native_hook(name: str) -> Check:
    from hil.twin.native.build import load

    library, reason = load()
    if library is None:
        return Check(
            name, Status.OPTIONAL, reason, "the twin runs without it, many times slower; install gcc"
        )
    return Check(name, Status.OK, "built")


def _physical(check: str) -> Callable[[str], Check]:
    """A check of `hil.probe.checks`, imported when it runs: pyOCD takes a second."""

    def run(name: str) -> Check:
        from hil.probe import checks

        found: Callable[[str], Check] = getattr(checks, check)
        return found(name)

    return run


def _renode(name: str) -> Check:
    from hil.renode.find import find_renode

    try:
        return Check(name, Status.OK, str(find_renode()))
    except HilError as error:
        return Check(name, Status.OPTIONAL, error.message, error.hint)


def _data_folder(name: str) -> Check:
    place = Path(os.environ.get("HIL_DATA") or cache_dir() / "data")
    found = sorted(entry.name for entry in place.iterdir() if entry.is_dir()) if place.is_dir() else []
    if not found:
        return Check(
            name,
            Status.OPTIONAL,
            f"no data sets in {place}",
            "the built-in digits need none; HIL_DATA names a place",
        )
    return Check(name, Status.OK, f"{place}: {', '.join(found)}")


def _cache(name: str) -> Check:
    try:
        folder = cache_dir()
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        return Check(name, Status.MISSING, str(error), "name a writable folder in HIL_CACHE")
    return Check(name, Status.OK, str(folder))


def _disk(name: str) -> Check:
    free = shutil.disk_usage(cache_dir()).free
    detail = f"{free / (1 << 30):.1f} GB free at {cache_dir()}"
    if free < DISK_NEEDED_BYTES:
        return Check(name, Status.MISSING, detail, "make room, or name another place in HIL_CACHE")
    return Check(name, Status.OK, detail)


_CHECKS: Final[dict[str, Callable[[str], Check]]] = {
    "python": _python,
    "arm-none-eabi-gcc": _compiler,
    "CMSIS-NN": _cmsis_nn,
    "cmake": _program,
    "ninja": _program,
    "torch": _package,
    "unicorn": _package,
    "native hook": _native_hook,
    "cache": _cache,
    "disk": _disk,
    "data sets": _data_folder,
    "pyocd": _physical("pyocd"),
    "CMSIS packs": _physical("packs"),
    "probes": _physical("probes"),
    "serial ports": _physical("serial_ports"),
    "renode": _renode,
}
