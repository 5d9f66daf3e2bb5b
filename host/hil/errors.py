"""Every error a user can meet: one tree, each with a message that names the thing and a hint."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class HilError(Exception):
    """Root of the tree.

    `message` names what is wrong, `hint` says what to do about it. The command line prints both
    and exits with `exit_code`.
    """

    exit_code = 2
    code = "error"

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message} ({self.hint})" if self.hint else self.message


class UsageError(HilError):
    """The user named something that does not exist or cannot be combined."""

    code = "usage"


class DataError(HilError):
    """A data set is missing, damaged or of another shape."""

    code = "data"


class BundleError(HilError):
    """A bundle is corrupt, foreign or does not fit what it is used with."""

    code = "bundle"


class UntrustedError(BundleError):
    """A bundle that no trusted key has signed, where only such are taken."""

    code = "untrusted"


class TrainingError(HilError):
    """Training cannot go on (diverged, nothing to train on)."""

    code = "training"


class CaptureError(HilError):
    """A network uses an operator or shape that the int8 graph does not know."""

    code = "capture"


class DoesNotFitError(HilError):
    """A network exceeds the flash or the RAM of the board."""

    code = "does-not-fit"


class ToolchainError(HilError):
    """A tool or source that building needs is missing or too old."""

    code = "toolchain"


class BuildError(HilError):
    """The compiler or linker refused the firmware."""

    code = "build"


class BoardError(HilError):
    """A board cannot be started, or stopped answering."""

    code = "board"


class FirmwareDamagedError(BoardError):
    """Code or constants on the board are not what was built and flashed."""

    code = "firmware-damaged"


class TwinFault(BoardError):
    """The emulated core faulted: PC, symbol and backtrace are in the message."""

    code = "twin-fault"


class ProtocolError(HilError):
    """The peer does not speak this protocol, or speaks another version of it."""

    code = "protocol"


class CodecError(HilError):
    """A payload cannot be decoded."""

    code = "codec"


class ServerError(HilError):
    """The server half cannot be started or reached."""

    code = "server"


class SessionError(HilError):
    """A run cannot go on."""

    code = "session"


class DiskError(HilError):
    """A disk, a quota or a limit on file sizes is reached, outside of a run folder."""

    code = "disk-full"


def unknown_name(kind: str, given: str, valid: Iterable[str]) -> UsageError:
    """A `UsageError` that lists the valid names of `kind` and the one nearest to `given`."""
    names = sorted(valid)
    near = difflib.get_close_matches(given.lower(), names, n=1, cutoff=0.4)
    nearest = f"did you mean {near[0]!r}? " if near else ""
    return UsageError(f"unknown {kind} {given!r}", f"{nearest}valid: {', '.join(names)}")
