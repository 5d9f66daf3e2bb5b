"""TLS for server and client: contexts, and a certificate of one's own."""

from __future__ import annotations

import datetime
import hashlib
import hmac
import ipaddress
import os
import socket
import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from hil.errors import ServerError, UsageError

if TYPE_CHECKING:
    from cryptography import x509

_DAYS = 825
"""Validity of a certificate made here."""


@dataclass(frozen=True)
class Trust:
    """How a client knows its server: by who signed, or by the certificate itself. One of both is given."""

    ca: Path | None = None
    fingerprint: str = ""
    """SHA-256 of the certificate, 64 hexadecimal digits, colons allowed."""

    def __post_init__(self) -> None:
        """Raises UsageError unless the fingerprint is one."""
        digits = self.digits
        if digits and (len(digits) != 64 or not all(digit in "0123456789abcdef" for digit in digits)):
            raise UsageError("a TLS fingerprint is a SHA-256: 64 hexadecimal digits", "the server prints it")

    @property
    def digits(self) -> str:
        return self.fingerprint.replace(":", "").lower()

    def wrap(self, plain: socket.socket, host: str) -> ssl.SSLSocket:
        """The connection, encrypted, to a server that is who it should be. Raises OSError, UsageError."""
        secure = self.context().wrap_socket(plain, server_hostname=host)
        if self.digits:
            found = hashlib.sha256(secure.getpeercert(binary_form=True) or b"").hexdigest()
            if not hmac.compare_digest(found, self.digits):
                secure.close()
                raise ssl.SSLCertVerificationError(f"its certificate has the fingerprint {found}")
        return secure

    def context(self) -> ssl.SSLContext:
        """Raises UsageError when the CA's file is none. With a fingerprint `wrap` compares that instead."""
        try:
            context = ssl.create_default_context(cafile=str(self.ca) if self.ca else None)
        except OSError as error:
            raise UsageError(f"{self.ca} is no file of certificates: {error}", "name a PEM file") from None
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        if self.digits:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        return context


def server_context(certificate: Path, key: Path) -> ssl.SSLContext:
    """Raises UsageError when they cannot be read, or do not belong together."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        # An encrypted key would be asked for at the terminal; nobody may be there.
        context.load_cert_chain(certificate, key, password=lambda: "")
    except (OSError, ValueError) as error:
        hint = "both are PEM files, and the key has no password"
        raise UsageError(f"{certificate} and {key} are no certificate and its key: {error}", hint) from None
    return context


def fingerprint(certificate: Path) -> str:
    """SHA-256 of the first certificate in a PEM file, in hexadecimal. Raises UsageError."""
    end = "-----END CERTIFICATE-----"
    try:
        head, found, _ = certificate.read_text().partition(end)
        begin = head.index("-----BEGIN CERTIFICATE-----")
        return hashlib.sha256(ssl.PEM_cert_to_DER_cert(head[begin:] + found)).hexdigest()
    except (OSError, ValueError) as error:
        raise UsageError(f"{certificate} is no certificate: {error}", "name a PEM file") from None


def self_signed(folder: Path, host: str) -> tuple[Path, Path]:
    """Certificate and key for `host` and this machine's loopback, made in `folder` or found there.

    Only the owner may read the key. Raises ServerError when the package `cryptography` is not there.
    """
    try:
        from cryptography import x509
    except ImportError:
        hint = "pip install 'hil[server]', or give --tls-cert and --tls-key"
        raise ServerError("a certificate is made by the package cryptography", hint) from None
    stem = "".join(letter if letter.isalnum() or letter in ".-" else "_" for letter in host)
    certificate, key = folder / f"{stem}.crt", folder / f"{stem}.key"
    now = datetime.datetime.now(datetime.UTC)
    if certificate.is_file() and key.is_file():
        try:
            known = x509.load_pem_x509_certificate(certificate.read_bytes())
            if known.not_valid_after_utc - now > datetime.timedelta(days=1):
                return certificate, key
        except ValueError:
            pass  # torn: made anew
    made = _make(host, now)
    folder.mkdir(parents=True, exist_ok=True)
    _write(key, made[1], 0o600)
    _write(certificate, made[0], 0o644)
    return certificate, key


def _make(host: str, now: datetime.datetime) -> tuple[bytes, bytes]:
    """PEM of certificate and key."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import NameOID

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "hil serve")])
    day = datetime.timedelta(days=1)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - day)
        .not_valid_after(now + _DAYS * day)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(x509.SubjectAlternativeName([*map(_general_name, _names(host))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    plain = serialization.NoEncryption()
    pem = serialization.Encoding.PEM
    return certificate.public_bytes(pem), key.private_bytes(pem, serialization.PrivateFormat.PKCS8, plain)


def _names(host: str) -> list[str]:
    everywhere = {"0.0.0.0", "::"}
    return list(dict.fromkeys(["localhost", "127.0.0.1", "::1", *({host} - everywhere)]))


def _general_name(name: str) -> x509.GeneralName:
    from cryptography import x509

    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _write(path: Path, content: bytes, mode: int) -> None:
    """Whole or not at all, and never readable by others in between."""
    own = path.with_name(f"{path.name}.{os.getpid()}")
    with os.fdopen(os.open(own, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode), "wb") as file:
        file.write(content)
    own.replace(path)
