"""A certificate authority for one server, and the server's certificate: made, and judged whether one is due.

The library is imported where a certificate is made: stacks without TLS need not have it.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric import ec

AUTHORITY_DAYS, SERVER_DAYS = 3650, 365
RENEWED_DAYS = 120
"""So long before its end a certificate is renewed, by the next `up`."""
EARLIER = timedelta(hours=1)  # for clients whose clocks are slow


@dataclass(frozen=True)
class Certificates:
    """What a server and its clients need, all PEM; `authority` is what the clients get."""

    authority: str
    authority_key: str = field(repr=False)
    certificate: str
    key: str = field(repr=False)


def issue(names: Sequence[str], *, issued: str, authority: str = "", authority_key: str = "") -> Certificates:
    """Make a server's certificate for its names and addresses; by the authority given, where that lives long enough.

    `issued` is when, as moment() gives it.
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
    above = x509.load_pem_x509_certificate(authority.encode())
    key = ec.generate_private_key(ec.SECP256R1())
    made = (
        _begun(names[0], above.subject, key.public_key(), now - EARLIER, ends)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName([_name(one) for one in names]), critical=False)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False)
        .sign(signer, hashes.SHA256())
    )
    return Certificates(authority, authority_key, _pem(made), _pem_of_key(key))


def moment() -> str:
    """Give this moment, as it is kept."""
    return datetime.now(timezone.utc).isoformat(timespec="seconds")


def is_due(issued: str, *, now: datetime | None = None) -> bool:
    """Say whether a certificate that was issued then is to be renewed."""
    after = datetime.fromisoformat(issued) + timedelta(days=SERVER_DAYS - RENEWED_DAYS)
    return after <= (now or datetime.now(timezone.utc))


def _authority(now: datetime) -> tuple[str, str]:
    from cryptography import x509  # noqa: PLC0415 (see the module's docstring)
    from cryptography.hazmat.primitives import hashes  # noqa: PLC0415
    from cryptography.hazmat.primitives.asymmetric import ec  # noqa: PLC0415

    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "platform-postgres")])
    uses = dict.fromkeys(
        ("digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement",
         "encipher_only", "decipher_only"), False)  # fmt: skip
    made = (
        _begun("platform-postgres", subject, key.public_key(), now - EARLIER, now + timedelta(days=AUTHORITY_DAYS))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(x509.KeyUsage(key_cert_sign=True, crl_sign=True, **uses), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    return _pem(made), _pem_of_key(key)


def _begun(
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


def _name(text: str) -> x509.GeneralName:
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
