"""Renode's errors: prose on a reply that looks like any other. Found by text, told with a hint."""

from __future__ import annotations

import re
from typing import Final

from hil.errors import BoardError

_ERROR: Final = re.compile(
    r"^\s*(There was an error executing command|No such command or device|Bad parameters for command"
    r"|Could not tokenize|Could not find|Parameters did not match|Errors during compilation"
    r"|Error E\d+|Fatal error|Internal error|Unhandled exception|.*\bdoes not provide a (field|method))",
    re.MULTILINE,
)

_HINTS: Final = (
    (
        re.compile(r"address already in use|only one usage of each socket", re.I),
        "the port is taken; try again",
    ),
    (
        re.compile(r"Error E\d+", re.I),
        "the platform file has a mistake, or this Renode is another version than the file is for (1.16)",
    ),
    (re.compile(r"could not resolve type", re.I), "this Renode lacks a model that the platform file names"),
    (re.compile(r"LoadELF", re.I), "build the firmware again"),
    (re.compile(r"No such command or device", re.I), "this Renode is another version than hil knows (1.16)"),
)
_SHOWN_LINES: Final = 6


def complaint(output: str) -> str | None:
    """Renode's own words, when `output` says that a command failed."""
    found = _ERROR.search(output)
    if found is None:
        return None
    lines = [line.strip() for line in output[found.start() :].splitlines() if line.strip()]
    return " / ".join(lines[:_SHOWN_LINES])


def as_error(command: str, words: str) -> BoardError:
    """`words` about `command` as one of our errors."""
    text = f"{command}\n{words}"
    hint = next(
        (hint for pattern, hint in _HINTS if pattern.search(text)), "see renode.log in the run folder"
    )
    return BoardError(f"Renode refused {command!r}: {words}", hint)
