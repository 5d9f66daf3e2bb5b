"""A bundle is what its signer signed, or it is refused; whatever is beside it."""

from __future__ import annotations

import json
import shutil
import stat
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hil.errors import BundleError, UntrustedError, UsageError
from hil.signing import keys, signature
from hil.zoo import shelf

pytest.importorskip("cryptography")


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    return Path(shutil.copy(shelf.FOLDER / "agilenn-digits.safetensors", tmp_path / "b.safetensors"))


def signed(bundle: Path, name: str = "ours") -> Path:
    """Signs it with a new key; its public one."""
    secret, public = keys.make(name, bundle.parent)
    signature.sign(bundle, keys.load_secret(secret))
    return public


def test_a_signed_bundle_is_taken_and_its_bytes_stay(bundle: Path) -> None:
    before = bundle.read_bytes()
    public = signed(bundle)
    assert bundle.read_bytes() == before
    (key,) = keys.trusted(public)
    found = signature.require(bundle, [key])
    assert (found.name, found.key_id) == ("ours", key.identity)


def test_one_of_several_trusted_keys_is_enough(bundle: Path) -> None:
    public = signed(bundle)
    other = keys.make("other", bundle.parent)[1]
    ring = bundle.parent / "trusted"
    ring.write_text("# whom we trust\n" + other.read_text() + "\n" + public.read_text())
    assert signature.require(bundle, keys.trusted(ring)).name == "ours"


def test_an_unsigned_bundle_is_refused(bundle: Path) -> None:
    public = keys.make("ours", bundle.parent)[1]
    with pytest.raises(UntrustedError, match="not signed"):
        signature.require(bundle, keys.trusted(public))


def test_a_foreign_signature_is_refused(bundle: Path) -> None:
    signed(bundle, "theirs")
    ours = keys.make("ours", bundle.parent)[1]
    with pytest.raises(UntrustedError, match="no trusted key"):
        signature.require(bundle, keys.trusted(ours))


@pytest.mark.parametrize("at", [0, 8, 400, -1])
def test_an_altered_bundle_is_refused(bundle: Path, at: int) -> None:
    trusted = keys.trusted(signed(bundle))
    content = bytearray(bundle.read_bytes())
    content[at] ^= 1
    bundle.write_bytes(content)
    with pytest.raises(UntrustedError, match="not the file that was signed"):
        signature.require(bundle, trusted)


def test_a_hash_put_right_without_the_key_is_refused(bundle: Path) -> None:
    trusted = keys.trusted(signed(bundle))
    old = json.loads(signature.beside(bundle).read_text())
    bundle.write_bytes(bundle.read_bytes() + b"\0")
    from hil.bundle import digest

    signature.beside(bundle).write_text(json.dumps({**old, "sha256": digest(bundle).hex()}))
    with pytest.raises(UntrustedError, match="no trusted key"):
        signature.require(bundle, trusted)


@settings(max_examples=60, deadline=None)
@given(noise=st.binary(max_size=300) | st.just(b"[" * 4000))
def test_anything_else_beside_it_is_refused(noise: bytes, tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("noise")
    (folder / "b").write_bytes(b"any bytes")
    signature.beside(folder / "b").write_bytes(noise)
    with pytest.raises(UntrustedError, match="no signature"):
        signature.require(folder / "b", ())


def test_what_is_no_bundle_is_not_signed(tmp_path: Path) -> None:
    secret, _ = keys.make("ours", tmp_path)
    (tmp_path / "text").write_text("not a bundle")
    with pytest.raises(BundleError):
        signature.sign(tmp_path / "text", keys.load_secret(secret))


def test_a_secret_key_is_its_owners_and_never_replaced(tmp_path: Path) -> None:
    secret, _ = keys.make("ours", tmp_path)
    assert stat.S_IMODE(secret.stat().st_mode) == 0o600
    with pytest.raises(UsageError, match="already"):
        keys.make("ours", tmp_path)
    secret.chmod(0o644)
    with pytest.raises(UsageError, match="read by others"):
        keys.load_secret(secret)


@pytest.mark.parametrize("name", ["", "two words", "../away", ".hidden", "line\nbreak", "x" * 65])
def test_a_name_that_is_none_is_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no name"):
        keys.make(name, tmp_path)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "text", ["", "# nobody", "hil-ed25519 AAAA ours", "ssh-ed25519 AAAA x", "a b c d", "x" * 99_999]
)
def test_a_file_that_holds_no_keys_is_a_usage_error(text: str, tmp_path: Path) -> None:
    (tmp_path / "keys").write_text(text)
    with pytest.raises(UsageError):
        keys.trusted(tmp_path / "keys")
