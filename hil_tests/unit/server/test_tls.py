"""Certificates: made once, readable by their owner, and known by their fingerprint."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from hil.errors import UsageError
from hil.server import tls

pytest.importorskip("cryptography")


def test_a_certificate_is_made_once_and_its_key_is_the_owners(tmp_path: Path) -> None:
    certificate, key = tls.self_signed(tmp_path / "tls", "10.0.0.7")
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    before = certificate.read_bytes()
    assert tls.self_signed(tmp_path / "tls", "10.0.0.7") == (certificate, key)
    assert certificate.read_bytes() == before
    assert tls.self_signed(tmp_path / "tls", "server.example")[0] != certificate
    assert len(tls.fingerprint(certificate)) == 64


def test_a_torn_certificate_is_made_anew(tmp_path: Path) -> None:
    certificate, key = tls.self_signed(tmp_path, "localhost")
    certificate.write_bytes(certificate.read_bytes()[:100])
    tls.server_context(*tls.self_signed(tmp_path, "localhost"))
    assert key.exists()


def test_a_certificate_of_ones_own_can_be_the_ca(tmp_path: Path) -> None:
    certificate, _ = tls.self_signed(tmp_path, "localhost")
    assert tls.Trust(ca=certificate).context().check_hostname
    with pytest.raises(UsageError, match="no file of certificates"):
        tls.Trust(ca=tmp_path / "none.pem").context()


def test_what_is_no_certificate_and_key_is_a_usage_error(tmp_path: Path) -> None:
    certificate, key = tls.self_signed(tmp_path, "localhost")
    _, other = tls.self_signed(tmp_path, "127.0.0.2")
    for pair in ((certificate, other), (key, certificate), (tmp_path / "none", key)):
        with pytest.raises(UsageError, match="no certificate and its key"):
            tls.server_context(*pair)
    with pytest.raises(UsageError, match="no certificate"):
        tls.fingerprint(key)


@pytest.mark.parametrize("text", ["abc", "g" * 64, "0" * 63])
def test_a_fingerprint_is_a_sha_256(text: str) -> None:
    with pytest.raises(UsageError, match="64 hexadecimal"):
        tls.Trust(fingerprint=text)
    assert tls.Trust(fingerprint=":".join(["AB"] * 32)).digits == "ab" * 32
