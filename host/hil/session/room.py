"""Room on the disk: asked for before a run begins, and a little of it held back for its end."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from pathlib import Path
from typing import IO, TYPE_CHECKING, Final

from hil.errors import SessionError

if TYPE_CHECKING:
    from hil.deploy.deployment import Deployment
    from hil.session.options import RunOptions

TRANSCRIPT_MAX: Final = 64 << 20
"""Bytes of `wire.jsonl`; a longer transcript ends with a note."""
RESERVE_BYTES: Final = 1 << 20
"""Summary, manifest, drawing and logs of a run's end; the longest seen was 0.1 MiB."""

# Bytes of a sample, from runs of digits and CIFAR-10: 1.9 kB of events, 0.25 kB of its row, and on the wire
# 2.3 hexadecimal digits for every byte of input and payload, beside 2.4 kB of other frames.
_SAMPLE_BYTES: Final = 2_500
_FRAMES_BYTES: Final = 3_000
_WIRE_FACTOR: Final = 2.5


def expected_bytes(deployment: Deployment, options: RunOptions) -> int:
    """About how much a run writes: its samples, its transcript, and copies of what it ran."""
    tensor = deployment.graph.tensor(deployment.graph.input)
    payload = deployment.manifest.payload
    carried = tensor.elements + (payload.raw_bytes if payload else 0)
    wire = options.n * (_FRAMES_BYTES + _WIRE_FACTOR * carried) if options.transcript else 0
    copied = [deployment.elf, deployment.elf.with_suffix(".map"), *deployment.folder.glob("model.[ch]")]
    artefacts = sum(path.stat().st_size for path in copied if path.is_file())
    return round(min(wire, TRANSCRIPT_MAX) + options.n * _SAMPLE_BYTES + artefacts)


def check_room(out: Path, expected: int) -> None:
    """Raises SessionError where the disk of `out` has no room for a run of `expected` bytes."""
    place = out.absolute()
    while not place.exists() and place != place.parent:
        place = place.parent
    try:
        free = shutil.disk_usage(place).free
    except OSError:
        return  # whatever is wrong there, the first write says it better
    if free < expected + RESERVE_BYTES:
        raise SessionError(
            f"the run takes about {_mib(expected + RESERVE_BYTES)}, and {place} has {_mib(free)} left",
            "free some space, choose another --out, or take fewer samples",
        )


def _mib(count: int) -> str:
    return f"{count / (1 << 20):.1f} MiB"


class Reserve:
    """Room that nobody else gets until it is released: a file without a name, so that a kill frees it too."""

    def __init__(self, folder: Path, size: int = RESERVE_BYTES) -> None:
        """Raises OSError where there is none."""
        self._file: IO[bytes] | None = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115
        try:
            if hasattr(os, "posix_fallocate"):
                os.posix_fallocate(self._file.fileno(), 0, size)
            else:
                self._file.write(bytes(size))
                self._file.flush()
        except OSError:
            self.release()
            raise

    @property
    def held(self) -> bool:
        """Not released yet."""
        return self._file is not None

    def release(self) -> bool:
        """Whether there was something to release."""
        if self._file is None:
            return False
        file, self._file = self._file, None
        with contextlib.suppress(OSError):
            file.close()
        return True
