"""Who may ask: a file of names and tokens, one `name:token` a line."""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from hil.errors import UsageError
from hil.server.protocol import NAME_MAX, TOKEN_MAX

TOKEN_MIN = 16
"""Characters: a shorter one could be guessed."""
_RANDOM_BYTES = 32
_NOBODYS = secrets.token_urlsafe(_RANDOM_BYTES)
"""Stands in for the token of a name that is not known."""


@dataclass(frozen=True)
class Credential:
    """What a client shows."""

    name: str
    token: str = field(repr=False)

    @classmethod
    def parse(cls, text: str, where: str) -> Credential:
        """From `name:token`. Raises UsageError, which never tells the token."""
        name, colon, token = text.strip().partition(":")
        hint = "write name:token, as `hil serve --new-token NAME` does"
        if not colon or not name or not name.isprintable() or len(name.encode()) > NAME_MAX:
            raise UsageError(f"{where} has no name:token of a name of {NAME_MAX} bytes at most", hint)
        if not token.isascii() or not token.isprintable() or not TOKEN_MIN <= len(token) <= TOKEN_MAX:
            raise UsageError(f"{where} has a token that is not {TOKEN_MIN} to {TOKEN_MAX} characters", hint)
        return cls(name, token)

    def line(self) -> str:
        return f"{self.name}:{self.token}"


@dataclass(frozen=True)
class Tokens:
    """All that a server lets in."""

    tokens: Mapping[str, str] = field(repr=False)

    def admits(self, name: str, token: str) -> bool:
        """Takes as long for a wrong token as for a right one, and for an unknown name as for a known.

        Digests are compared, which are all of one length: to compare texts tells how long they are.
        """
        same = hmac.compare_digest(_digest(self.tokens.get(name, _NOBODYS)), _digest(token))
        return same & (name in self.tokens)


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()


def new(name: str) -> Credential:
    """A credential with a token nobody can guess. Raises UsageError on a name that cannot be one."""
    if ":" in name or name.startswith("#") or name != name.strip():
        raise UsageError(f"{name!r} is no name for a token", "leave out colons, a leading # and outer spaces")
    return Credential.parse(f"{name}:{secrets.token_urlsafe(_RANDOM_BYTES)}", f"the name {name!r}")


def load(path: Path) -> Tokens:
    """Raises UsageError when `path` cannot be read, holds no token, or a name twice."""
    found: dict[str, str] = {}
    for number, line in _lines(path):
        one = Credential.parse(line, f"line {number} of {path}")
        if one.name in found:
            raise UsageError(f"line {number} of {path} names {one.name!r} again", "one token a name")
        found[one.name] = one.token
    if not found:
        raise UsageError(f"{path} holds no token", "hil serve --new-token NAME --token-file FILE adds one")
    return Tokens(found)


def first(path: Path) -> Credential:
    """A client's own: the first of the file. Raises UsageError when there is none."""
    for number, line in _lines(path):
        return Credential.parse(line, f"line {number} of {path}")
    raise UsageError(f"{path} holds no token", "it has one line: name:token")


def from_environment() -> Credential | None:
    """`name:token` of HIL_TOKEN, if it is set. Raises UsageError when it is something else."""
    text = os.environ.get("HIL_TOKEN", "")
    return Credential.parse(text, "HIL_TOKEN") if text else None


def append(path: Path, credential: Credential) -> None:
    """Adds a line to `path`, which only its owner may read when it is made here. Raises UsageError."""
    if path.exists() and credential.name in load(path).tokens:
        raise UsageError(f"{path} has a token of {credential.name!r} already", "delete that line first")
    try:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "w") as file:
            file.write(credential.line() + "\n")
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror}", "name another file") from None


def _lines(path: Path) -> list[tuple[int, str]]:
    """Numbers and lines that are neither empty nor comments."""
    try:
        text = path.read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"the token file {path} cannot be read: {error}", "name another file") from None
    numbered = enumerate(text.splitlines(), start=1)
    return [(number, line) for number, line in numbered if line.strip() and not line.startswith("#")]
