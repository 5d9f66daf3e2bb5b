"""Files that are whole or not there, whatever ends the process, and on the disk when a call returns.

A rename alone is whole for other processes. After a loss of power it may have reached the disk before the
bytes it names, so these are synced first, and the folder after it.
"""

from __future__ import annotations

import contextlib
import errno
import os
from pathlib import Path
from typing import Final

FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
"""What the system says when a disk, a quota or a limit on file sizes is reached."""


def write_whole(path: Path, content: bytes, lasting: bool = True) -> None:
    """Puts `content` at `path` at once; a failure leaves what was there. Raises OSError.

    Where the caller syncs the folder later, once for many files, it need not be `lasting`.
    """
    own = beside(path)
    try:
        handle = os.open(own, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o666)
        try:
            write_all(handle, content)
            os.fsync(handle)
        finally:
            os.close(handle)
        os.replace(own, path)
    finally:
        with contextlib.suppress(OSError):
            os.unlink(own)
    if lasting:
        sync_folder(path.parent)


def adopt(own: Path, path: Path) -> None:
    """Makes the finished file `own`, on the same disk, the one at `path`. Raises OSError."""
    handle = os.open(own, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
    os.replace(own, path)
    sync_folder(path.parent)


def adopt_folder(own: Path, path: Path) -> bool:
    """Makes the finished folder `own` the one at `path`; False where another process was there first.

    What `path` was before goes to `own`'s neighbour `former`, for the caller to remove. Raises OSError.
    """
    for file in sorted(own.rglob("*")):
        handle = os.open(file, os.O_RDONLY | os.O_CLOEXEC)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
    with contextlib.suppress(FileNotFoundError):
        os.rename(path, own.with_name("former"))
    try:
        os.rename(own, path)
    except OSError as error:
        if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
            raise
        return False
    sync_folder(path.parent)
    return True


def beside(path: Path) -> Path:
    """A hidden name of this process for the file that becomes `path`."""
    return path.with_name(f".{path.name}.{os.getpid()}.part")


def write_all(handle: int, content: bytes) -> None:
    """All of `content`; the system may take it in pieces. Raises OSError."""
    rest = memoryview(content)
    while rest:
        rest = rest[os.write(handle, rest) :]


def sync_folder(path: Path) -> None:
    """Makes renames in `path` last. File systems that cannot sync a folder are left alone."""
    with contextlib.suppress(OSError):
        handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
