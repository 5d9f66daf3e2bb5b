"""Signatures of bundles, in a file beside each: `NAME.safetensors.sig`.

Beside and not within, so that the bundle's bytes, whose SHA-256 firmware and server are checked against,
stay what they were. What is signed is that SHA-256 behind a text that no other protocol signs.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hil.documents import json_of
from hil.errors import BundleError, UntrustedError, UsageError
from hil.signing.keys import PublicKey

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

SCHEMA = 1
SUFFIX = ".sig"
_CONTEXT = b"hil bundle signature 1\0"
_FILE_MAX = 4096
"""Bytes of a signature's file: a longer one is something else."""


@dataclass(frozen=True)
class Signer:
    """Whose signature was found good."""

    name: str
    """As the trusted keys call it, whatever the signature says."""
    key_id: str
    sha256: bytes
    """Of the bundle that was signed."""


def beside(bundle: Path) -> Path:
    """Where the signature of `bundle` is."""
    return bundle.with_name(bundle.name + SUFFIX)


def sign(bundle: Path, secret: Ed25519PrivateKey) -> Path:
    """Signs `bundle`; returns the signature's file. Raises BundleError, and UsageError."""
    from hil import bundle as bundles

    bundles.read_manifest(bundle)  # nothing else is signed by mistake
    public = secret.public_key().public_bytes_raw()
    sha256 = bundles.digest(bundle)
    fields = {
        "schema": SCHEMA,
        "algorithm": "ed25519",
        "key_id": PublicKey(public, "own").identity,
        "sha256": sha256.hex(),
        "signature": base64.b64encode(secret.sign(_CONTEXT + sha256)).decode(),
    }
    made = beside(bundle)
    try:
        made.write_text(json.dumps(fields, indent=1) + "\n")
    except OSError as error:
        raise UsageError(f"cannot write {made}: {error.strerror}", "copy the bundle elsewhere") from None
    return made


def require(bundle: Path, trusted: Iterable[PublicKey]) -> Signer:
    """Who of `trusted` signed `bundle`, of which nothing but its bytes is looked at.

    Raises UntrustedError when nobody did, BundleError when it is not there.
    """
    try:
        sha256 = hashlib.sha256(bundle.read_bytes()).digest()
    except OSError as error:
        raise BundleError(f"cannot read {bundle}: {error.strerror}", "make one with `hil train`") from None
    key_id, signed, signature = _read(bundle)
    if signed != sha256.hex():
        raise UntrustedError(f"{bundle} is not the file that was signed", "get both files again, or sign it")
    for key in trusted:
        if key.approves(signature, _CONTEXT + sha256):
            return Signer(key.name, key.identity, sha256)
    raise UntrustedError(
        f"{bundle} is signed by no trusted key, but by {key_id}",
        "add the signer's line of NAME.pub to the trusted keys, if you do trust whoever that is",
    )


def _read(bundle: Path) -> tuple[str, str, bytes]:
    """Key, SHA-256 and signature, as the file beside `bundle` says them."""
    path = beside(bundle)
    try:
        with path.open("rb") as file:
            fields: dict[str, Any] = json_of(file.read(_FILE_MAX))
        if (fields["schema"], fields["algorithm"]) != (SCHEMA, "ed25519"):
            raise ValueError
        key_id, signed = fields["key_id"], fields["sha256"]
        if not isinstance(signed, str) or not isinstance(key_id, str) or not key_id.isalnum():
            raise ValueError
        return key_id[:16], signed, base64.b64decode(fields["signature"], validate=True)
    except FileNotFoundError:
        raise UntrustedError(f"{bundle} is not signed", "hil sign BUNDLE --key NAME.key signs it") from None
    except (OSError, ValueError, KeyError, TypeError, AttributeError, binascii.Error):
        raise UntrustedError(f"{path} is no signature of a bundle", "sign the bundle again") from None
