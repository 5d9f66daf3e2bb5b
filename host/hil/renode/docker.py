"""Renode in a container: the last resort, for machines that have Docker and the image already."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Final

IMAGE: Final = "antmicro/renode"
_LIMIT_S: Final = 30.0


def local_image() -> str | None:
    """The name of a Renode image that Docker already has."""
    if shutil.which("docker") is None:
        return None
    command = ["docker", "image", "ls", "--format", "{{.Repository}}:{{.Tag}}", IMAGE]
    try:
        listed = subprocess.run(command, capture_output=True, text=True, timeout=_LIMIT_S, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    return next((line.strip() for line in listed.stdout.splitlines() if line.startswith(IMAGE)), None)


def run_command(image: str, arguments: Sequence[str], folder: Path, name: str) -> list[str]:
    """Runs Renode on the host's network, with `folder` under the same path, as this user."""
    # --init: without it Renode is process 1, which signals do not end.
    options = ["--rm", "--init", "--network", "host", "--name", name, "-v", f"{folder}:{folder}"]
    user = ["-u", f"{os.getuid()}:{os.getgid()}", "-e", f"HOME={folder}"]
    return ["docker", "run", *options, *user, image, "renode", *arguments]


def kill(name: str) -> None:
    """Ends a container that outlived its client. Never raises."""
    with contextlib.suppress(OSError, subprocess.SubprocessError):
        subprocess.run(["docker", "kill", name], capture_output=True, timeout=_LIMIT_S)
