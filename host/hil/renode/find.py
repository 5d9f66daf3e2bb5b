"""Where Renode is: named, on PATH, unpacked somewhere usual, or a Docker image."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from hil.errors import BoardError
from hil.renode import docker
from hil.renode.version import TRIED, Version, check_version, shown

VARIABLE: Final = "HIL_RENODE"
WAYS: Final = (
    f"(1) unpack renode-{TRIED}.linux-portable-dotnet.tar.gz of https://github.com/renode/renode/releases "
    f"in your home folder, (2) name an installed one with --renode-path or {VARIABLE}, "
    f"(3) docker pull {docker.IMAGE}:{TRIED}"
)
_GET_ONE: Final = f"get one: {WAYS}"
_DOCKER: Final = "docker"
_ASK_LIMIT_S: Final = 30.0


@dataclass(frozen=True)
class Renode:
    """An installation: how to call it and what it is."""

    program: str
    """The executable, or the image's name for Docker."""
    origin: str
    version: Version
    in_docker: bool = False

    def __str__(self) -> str:
        return f"Renode {shown(self.version)} at {self.program} ({self.origin})"

    def command(self, arguments: Sequence[str], folder: Path, name: str) -> list[str]:
        """The command line that runs Renode; in Docker `folder` is seen under the same path."""
        if self.in_docker:
            return docker.run_command(self.program, arguments, folder, name)
        return [self.program, *arguments]

    def clean_up(self, name: str) -> None:
        """Ends what outlives the process that was started; nothing does but a container."""
        if self.in_docker:
            docker.kill(name)


def find_renode(named: str | None = None, environ: Mapping[str, str] | None = None) -> Renode:
    """The first Renode that will do. One that was named must; others are passed over if they do not.

    Raises BoardError: nothing found, not Renode, or too old.
    """
    environ = os.environ if environ is None else environ
    for origin, given in (("--renode-path", named), (VARIABLE, environ.get(VARIABLE))):
        if given:
            return _asked(_executable(given, origin), origin)
    first_error: BoardError | None = None
    for program, origin in _lying_about(environ):
        try:
            return _asked(program, origin)
        except BoardError as error:
            first_error = first_error or error
    raise first_error or BoardError("Renode was not found", f"three ways to get it: {WAYS}")


def _lying_about(environ: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """What nobody named, the nearest first: program and origin."""
    if on_path := shutil.which("renode", path=environ.get("PATH")):
        yield on_path, "PATH"
    for program in _unpacked(environ):
        yield str(program), "unpacked"
    if (image := docker.local_image()) is not None:
        yield image, _DOCKER


def _executable(given: str, origin: str) -> str:
    """A file that can be run, by its path, its name on PATH, or the folder it was unpacked to."""
    path = Path(given).expanduser()
    if path.is_dir():
        inside = next(_inside(path), None)
        if inside is None:
            raise BoardError(f"{origin} names {given}, where there is no executable `renode`", _GET_ONE)
        return str(inside)
    found = shutil.which(str(path))
    if found is None:
        raise BoardError(f"{origin} names {given}, which is not an executable file", _GET_ONE)
    return str(Path(found).resolve()) if os.sep in found else found


def _inside(folder: Path) -> Iterator[Path]:
    nested = sorted(folder.glob("renode*/renode"), reverse=True)
    for candidate in (folder / "renode", folder / "bin" / "renode", *nested):
        if candidate.is_file() and os.access(candidate, os.X_OK):
            yield candidate.resolve()


def _unpacked(environ: Mapping[str, str]) -> Iterator[Path]:
    """Portable releases in the usual places, the newest name first."""
    home = environ.get("HOME")
    for place in (Path(home) if home else None, Path("/opt"), Path.cwd()):
        if place is None:
            continue
        for folder in sorted(place.glob("[Rr]enode*"), reverse=True):
            if folder.is_dir():
                yield from _inside(folder)


def _asked(program: str, origin: str) -> Renode:
    """Asks for the version, which also proves that it starts."""
    in_docker = origin == _DOCKER
    command = ["docker", "run", "--rm", "--init", program, "renode"] if in_docker else [program]
    try:
        answer = subprocess.run(
            [*command, "--version"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_ASK_LIMIT_S,
        )
    except subprocess.TimeoutExpired:
        raise BoardError(
            f"{program} ({origin}) did not tell its version within {_ASK_LIMIT_S:.0f} s", "is it Renode?"
        ) from None
    except OSError as error:
        raise BoardError(f"{program} ({origin}) cannot be run: {error.strerror}", _GET_ONE) from None
    version = check_version(answer.stdout + answer.stderr, f"{program} ({origin})")
    return Renode(program, origin, version, in_docker)
