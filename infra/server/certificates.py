"""Certificates of servers: signed by themselves, or by an authority of their own, with the decision on a renewal.

`cryptography` is imported inside the functions that issue certificates, because most runs issue none.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

from infra.errors import ServerError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric import ec

AUTHORITY_DAYS, SERVER_DAYS = 3650, 365
RENEWED_DAYS = 120
"""A certificate that expires within this many days is renewed by the next `up`."""
_WITHOUT_END = datetime(9999, 12, 31, 23, 59, 59, tzinfo=timezone.utc)
_CLOCK_SKEW = timedelta(hours=1)
"""Certificates are valid from this long before they are issued, for clients whose clocks are slow."""


@dataclass(frozen=True)
class Certificates:
    """Certificates and keys in PEM format; clients get `authority`, the authority's certificate."""

    authority: str
    authority_key: str = field(repr=False)
    certificate: str
    key: str = field(repr=False)


def issue(names: Sequence[str], *, issued: str, authority: str = "", authority_key: str = "") -> Certificates:
    """Issue a server certificate for host names and IP addresses, by the given authority if that expires later.

    Otherwise a new authority is created. `issued` is the time of issue, as returned by moment().
    """
    from cryptography import x509  # noqa: PLC0415 (see the module's docstring)
    from cryptography.hazmat.primitives import hashes, serialization  # noqa: PLC0415
    from cryptography.hazmat.primitives.asymmetric import ec  # noqa: PLC0415
    from cryptography.x509.oid import ExtendedKeyUsageOID  # noqa: PLC0415

    now = datetime.fromisoformat(issued)
    ends = now + timedelta(days=SERVER_DAYS)
    if not authority or x509.load_pem_x509_certificate(authority.encode()).not_valid_after_utc < ends:
        authority, authority_key = _authority(now)
    signer = serialization.load_pem_private_key(authority_key.encode(), None)
    assert isinstance(signer, ec.EllipticCurvePrivateKey)
    issuer = x509.load_pem_x509_certificate(authority.encode())
    key = ec.generate_private_key(ec.SECP256R1())
    certificate = (
        _builder(names[0], issuer.subject, key.public_key(), now - _CLOCK_SKEW, ends)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName([_general_name(name) for name in names]), critical=False)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False)
        .sign(signer, hashes.SHA256())
    )
    return Certificates(authority, authority_key, _pem(certificate), _pem_of_key(key))


def self_signed(names: Sequence[str]) -> tuple[str, str]:
    """Return a certificate for host names and IP addresses and its key, in PEM format; clients get it itself.

    It does not end (RFC 5280, 4.1.2.5): clients trust no other one. Raises ServerError without `cryptography`.
    """
    try:
        from cryptography import x509  # noqa: PLC0415 (see the module's docstring)
        from cryptography.hazmat.primitives import hashes  # noqa: PLC0415
        from cryptography.hazmat.primitives.asymmetric import ec  # noqa: PLC0415
    except ModuleNotFoundError:
        raise ServerError(
            "the package cryptography is not installed, and the server's certificate cannot be made",
            remedy="run `make setup`, or `.venv/bin/pip install -r requirements-embedded.txt`",
        ) from None

    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, names[0][:64])])
    begins = datetime.now(timezone.utc) - _CLOCK_SKEW
    certificate = (
        _builder(names[0], subject, key.public_key(), begins, _WITHOUT_END)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName([_general_name(name) for name in names]), critical=False)
        .sign(key, hashes.SHA256())
    )
    return _pem(certificate), _pem_of_key(key)


def moment() -> str:
    """Return the current time in UTC, in the ISO 8601 format in which it is stored."""
    return datetime.now(timezone.utc).isoformat(timespec="seconds")


def is_due(issued: str, *, now: datetime | None = None) -> bool:
    """Return whether a certificate that was issued at this time is to be renewed."""
    due = datetime.fromisoformat(issued) + timedelta(days=SERVER_DAYS - RENEWED_DAYS)
    return due <= (now or datetime.now(timezone.utc))


def _authority(now: datetime) -> tuple[str, str]:
    from cryptography import x509  # noqa: PLC0415 (see the module's docstring)
    from cryptography.hazmat.primitives import hashes  # noqa: PLC0415
    from cryptography.hazmat.primitives.asymmetric import ec  # noqa: PLC0415

    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "platform-postgres")])
    uses = dict.fromkeys(
        ("digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement",
         "encipher_only", "decipher_only"), False)  # fmt: skip
    certificate = (
        _builder(
            "platform-postgres", subject, key.public_key(), now - _CLOCK_SKEW, now + timedelta(days=AUTHORITY_DAYS)
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(x509.KeyUsage(key_cert_sign=True, crl_sign=True, **uses), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    return _pem(certificate), _pem_of_key(key)


def _builder(
    name: str, issuer: x509.Name, key: ec.EllipticCurvePublicKey, begins: datetime, ends: datetime
) -> x509.CertificateBuilder:
    from cryptography import x509  # noqa: PLC0415 (see the module's docstring)

    return (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name[:64])]))
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(begins)
        .not_valid_after(ends)
    )


def _general_name(text: str) -> x509.GeneralName:
    from cryptography import x509  # noqa: PLC0415 (see the module's docstring)

    try:
        return x509.IPAddress(ipaddress.ip_address(text))
    except ValueError:
        return x509.DNSName(text)


def _pem(certificate: x509.Certificate) -> str:
    from cryptography.hazmat.primitives.serialization import Encoding  # noqa: PLC0415 (see the module's docstring)

    return certificate.public_bytes(Encoding.PEM).decode()


def _pem_of_key(key: ec.EllipticCurvePrivateKey) -> str:
    from cryptography.hazmat.primitives import serialization  # noqa: PLC0415 (see the module's docstring)

    kind = serialization.PrivateFormat.PKCS8
    return key.private_bytes(serialization.Encoding.PEM, kind, serialization.NoEncryption()).decode()
