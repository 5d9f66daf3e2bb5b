"""Ed25519 keys (RFC 8032): a secret one in a file of its owner's, public ones as lines of text.

A public key is a line `hil-ed25519 BASE64 NAME`; a file of trusted keys has any number of them.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from hil.errors import UsageError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

KIND = "hil-ed25519"
KEY_BYTES = 32
NAME_MAX = 64
_FILE_MAX = 1 << 16
"""Bytes of a file of keys: a longer one is something else."""


@dataclass(frozen=True)
class PublicKey:
    """Who signs. Raises UsageError on a name that cannot stand in a line."""

    raw: bytes
    name: str

    def __post_init__(self) -> None:
        good = self.name and len(self.name) <= NAME_MAX and self.name.isprintable() and " " not in self.name
        if not good or len(self.raw) != KEY_BYTES:
            raise UsageError(
                f"{self.name!r} is no name of a key", f"take {NAME_MAX} letters at most, without spaces"
            )

    @property
    def identity(self) -> str:
        """The key's own name: the begin of its SHA-256, in hexadecimal."""
        return hashlib.sha256(self.raw).hexdigest()[:16]

    def line(self) -> str:
        return f"{KIND} {base64.b64encode(self.raw).decode()} {self.name}"

    def approves(self, signature: bytes, message: bytes) -> bool:
        """Whether this key's owner made `signature` of `message`. Raises UsageError without cryptography."""
        require_cryptography()
        from cryptography.exceptions import InvalidSignature
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

        try:
            Ed25519PublicKey.from_public_bytes(self.raw).verify(signature, message)
        except (InvalidSignature, ValueError):
            return False
        return True


def require_cryptography() -> None:
    """Raises UsageError when the package is not there."""
    try:
        import cryptography  # noqa: F401
    except ImportError:
        raise UsageError("signatures need the package cryptography", "pip install 'hil[sign]'") from None


def make(name: str, folder: Path) -> tuple[Path, Path]:
    """A new pair: `NAME.key`, which only its owner reads, and `NAME.pub`. Raises UsageError."""
    require_cryptography()
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    secret = Ed25519PrivateKey.generate()
    public = PublicKey(secret.public_key().public_bytes_raw(), name)
    if "/" in name or name.startswith("."):
        raise UsageError(f"{name!r} is no name of a file", "name the folder with --out")
    pem = secret.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    secret_file, public_file = folder / f"{name}.key", folder / f"{name}.pub"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with os.fdopen(os.open(secret_file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(pem)
        public_file.write_text(public.line() + "\n")
    except FileExistsError:
        raise UsageError(f"there is a {secret_file} already", "take another name, or remove it") from None
    except OSError as error:
        raise UsageError(f"{folder} cannot be written: {error.strerror}", "name another with --out") from None
    return secret_file, public_file


def load_secret(path: Path) -> Ed25519PrivateKey:
    """Raises UsageError unless `path` holds a secret key that only its owner can read."""
    require_cryptography()
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    try:
        if path.stat().st_mode & 0o077 and os.name == "posix":
            raise UsageError(f"{path} can be read by others", f"it is a secret: chmod 600 {path}")
        secret = serialization.load_pem_private_key(path.read_bytes(), password=None)
    except (OSError, ValueError, TypeError) as error:
        hint = "hil keygen NAME makes one"
        raise UsageError(f"{path} is no secret key: {type(error).__name__}", hint) from None
    if not isinstance(secret, Ed25519PrivateKey):
        raise UsageError(f"{path} is a key of another kind", "hil keygen NAME makes one of Ed25519")
    return secret


def trusted(path: Path) -> tuple[PublicKey, ...]:
    """The public keys in `path`. Raises UsageError when it cannot be read, holds none or anything else."""
    try:
        if path.stat().st_size > _FILE_MAX:
            raise UsageError(f"{path} is no file of keys: it is too long", "name the file of trusted keys")
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        raise UsageError(f"the keys in {path} cannot be read", "name the file of trusted keys") from None
    numbered = [(number, line.strip()) for number, line in enumerate(lines, start=1)]
    kept = [(number, line) for number, line in numbered if line and not line.startswith("#")]
    if not kept:
        raise UsageError(f"{path} holds no key", "hil keygen NAME makes a pair; copy the line of NAME.pub")
    return tuple(_public(line, f"line {number} of {path}") for number, line in kept)


def _public(line: str, where: str) -> PublicKey:
    words = line.split(" ")
    try:
        if len(words) == 3 and words[0] == KIND:
            return PublicKey(base64.b64decode(words[1], validate=True), words[2])
    except (binascii.Error, ValueError, UsageError):
        pass
    raise UsageError(f"{where} is no public key", f"a line is: {KIND} BASE64 NAME, as in NAME.pub")
