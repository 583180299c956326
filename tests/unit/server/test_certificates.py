"""Certificates: their names, their validity, and the authority that is kept."""

from __future__ import annotations

import ipaddress
from datetime import datetime, timedelta, timezone

from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from infra.server import certificates

NOW = datetime(2026, 11, 22, tzinfo=timezone.utc)
ISSUED = NOW.isoformat()
NAMES = ["127.0.0.1", "localhost", "postgres"]


def loaded(pem: str) -> x509.Certificate:
    return x509.load_pem_x509_certificate(pem.encode())


def test_a_certificate_is_the_authoritys_and_for_every_name() -> None:
    """It has addresses and names as what they are, serves as a server's alone, and its key is the one that is given."""
    issued = certificates.issue(NAMES, issued=ISSUED)
    server, authority = loaded(issued.certificate), loaded(issued.authority)
    server.verify_directly_issued_by(authority)
    names = server.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.IPAddress) == [ipaddress.ip_address("127.0.0.1")]
    assert names.get_values_for_type(x509.DNSName) == ["localhost", "postgres"]
    assert not server.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    assert authority.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    key = load_pem_private_key(issued.key.encode(), None)
    assert key.public_key() == server.public_key()
    assert "PRIVATE KEY" not in repr(issued)


def test_a_certificate_is_due_some_months_before_its_end() -> None:
    """It lives for a year, and is due four months before."""
    issued = certificates.issue(NAMES, issued=ISSUED)
    ends = loaded(issued.certificate).not_valid_after_utc
    assert ends == NOW + timedelta(days=365)
    assert not certificates.is_due(ISSUED, now=ends - timedelta(days=121))
    assert certificates.is_due(ISSUED, now=ends - timedelta(days=119))


def test_a_renewed_certificate_has_the_same_authority_until_that_would_end_first() -> None:
    """Clients keep what they have for years; then the authority is made anew, in time."""
    first = certificates.issue(NAMES, issued=ISSUED)
    by = {"authority": first.authority, "authority_key": first.authority_key}
    second = certificates.issue(NAMES, issued=(NOW + timedelta(days=300)).isoformat(), **by)
    assert second.authority == first.authority
    assert second.certificate != first.certificate
    late = certificates.issue(NAMES, issued=(NOW + timedelta(days=3400)).isoformat(), **by)
    assert late.authority != first.authority
    loaded(late.certificate).verify_directly_issued_by(loaded(late.authority))
