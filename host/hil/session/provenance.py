"""Where a run comes from: versions, commit, hashes, command, host and time."""

from __future__ import annotations

import hashlib
import os
import platform
import subprocess
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

from hil import __version__
from hil.deploy.deployment import Deployment
from hil.paths import REPOSITORY
from hil.redaction import redacted

_PACKAGES = ("numpy", "torch", "unicorn", "pyocd", "pyserial", "aidge-export-arm-cortexm")
_GIT_TIMEOUT_S = 5.0


def provenance(
    deployment: Deployment, command: Sequence[str], signed_by: str | None = None
) -> dict[str, Any]:
    """JSON-ready; the home folder is written as `~`, and secrets not at all.

    `signed_by` is whose signature of the bundle was checked; None: nobody asked for one.
    """
    return {
        **base(command),
        "bundle": {"file": deployment.bundle.name, "sha256": deployment.bundle_hash.hex()},
        "signed_by": signed_by,
        "kernels": str(deployment.kernels),
        "elf": {"file": deployment.elf.name, "sha256": _sha256(deployment.elf)},
    }


def base(command: Sequence[str]) -> dict[str, Any]:
    """What every figure of this process comes from, whatever it ran."""
    return {
        "time_utc": datetime.now(UTC).isoformat(timespec="seconds"),
        "command": [Path(word).name if at == 0 else _kept(word) for at, word in enumerate(command)],
        "hil": __version__,
        "python": platform.python_version(),
        "packages": packages(),
        "git_commit": git_commit(),
        "host": host(),
    }


def packages() -> dict[str, str]:
    """Versions of those packages that figures may depend on."""
    return {name: version for name in _PACKAGES if (version := _version(name))}


def host() -> dict[str, Any]:
    """What this machine is."""
    return {
        "system": platform.system(),
        "machine": platform.machine(),
        "cpu": _cpu(),
        "cores": os.cpu_count(),
    }


def without_home(text: str) -> str:
    """`text` with the user's home folder replaced, so that results can be shared."""
    home = str(Path.home())
    return text.replace(home, "~") if len(home) > 1 else text


def _kept(word: str) -> str:
    """A word of the command as others may read it."""
    return redacted(without_home(word))


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def git_commit() -> str | None:
    """The checkout's commit, with `+` when files differ from it; None outside a checkout."""
    if not (REPOSITORY / ".git").exists():
        return None
    try:
        commit = _git("rev-parse", "HEAD")
        return commit + ("+" if _git("status", "--porcelain", "--untracked-files=no") else "")
    except (OSError, subprocess.SubprocessError):
        return None


def _git(*arguments: str) -> str:
    command = ["git", "-C", str(REPOSITORY), *arguments]
    run = subprocess.run(command, capture_output=True, text=True, timeout=_GIT_TIMEOUT_S, check=True)
    return run.stdout.strip()


def _sha256(path: Path) -> str | None:
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else None


def _cpu() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or "unknown"
