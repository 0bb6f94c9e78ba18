"""X.509 certificates by RFC 5280: one root, a server certificate, and client certificates of at most seven days.

Keys are EC P-256, because TLS stacks do not accept Ed25519 certificates everywhere. A party is recognised by the
SHA-256 of its certificate's public key, never by a name in it.
"""

import ipaddress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from isthmus.contract.canonical import sha256
from isthmus.contract.errors import MalformedMessage
from isthmus.contract.ids import PartyId

CERTIFICATE_LIFETIME: Final = timedelta(days=7)
SERVER_LIFETIME: Final = timedelta(days=825)
ROOT_LIFETIME: Final = timedelta(days=3650)

_CLOCK_SKEW: Final = timedelta(minutes=5)
"""Certificates begin a little in the past, for machines whose clocks are behind."""

_MAX_REQUEST_BYTES: Final = 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class Authority:
    """The root's certificate and key. `repr` shows neither."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    def __repr__(self) -> str:
        """Show nothing."""
        return "Authority(...)"

    def root_pem(self) -> bytes:
        """Give the root certificate in PEM."""
        return self.certificate.public_bytes(Encoding.PEM)


def new_authority(*, now: datetime, name: str = "Isthmus coordinator root") -> Authority:
    """Make a root of ten years."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    certificate = (
        certificate_builder(
            subject=subject, issuer=subject, public_key=key.public_key(), now=now, lifetime=ROOT_LIFETIME
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_key_usage(signs_certificates=True), critical=True)
        .sign(key, hashes.SHA256())
    )
    return Authority(certificate=certificate, key=key)


def new_server_certificate(authority: Authority, *, hosts: tuple[str, ...], now: datetime) -> tuple[bytes, bytes]:
    """Give a server key and certificate, both PEM, for host names and addresses."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Isthmus coordinator")])
    issuer = authority.certificate.subject
    certificate = (
        certificate_builder(subject=name, issuer=issuer, public_key=key.public_key(), now=now, lifetime=SERVER_LIFETIME)
        .add_extension(x509.SubjectAlternativeName([_general_name(host) for host in hosts]), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .sign(authority.key, hashes.SHA256())
    )
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()), certificate.public_bytes(Encoding.PEM)


def issue_certificate(
    authority: Authority, *, party: PartyId, request: bytes, now: datetime, lifetime: timedelta = CERTIFICATE_LIFETIME
) -> x509.Certificate:
    """Issue a client certificate for a party from its PKCS #10 request (DER). The name comes from `party` alone.

    Raises:
        MalformedMessage: the request does not parse, is not signed by its own key, or its key is not EC P-256.
    """
    public_key = _requested_key(request)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, party)])
    issuer = authority.certificate.subject
    return (
        certificate_builder(subject=subject, issuer=issuer, public_key=public_key, now=now, lifetime=lifetime)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_key_usage(signs_certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False)
        .sign(authority.key, hashes.SHA256())
    )


def key_digest(certificate: x509.Certificate) -> bytes:
    """Give the SHA-256 of the certificate's public key (SubjectPublicKeyInfo, DER): how a party is recognised."""
    return sha256(certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))


def key_digest_of_certificate(pem: bytes) -> bytes:
    """Give the same for a certificate in PEM; raise `ValueError` where it is none."""
    return key_digest(x509.load_pem_x509_certificate(pem))


def _requested_key(request: bytes) -> ec.EllipticCurvePublicKey:
    problem = MalformedMessage(field="certificate_request", problem="not a request signed by an EC P-256 key")
    if len(request) > _MAX_REQUEST_BYTES:
        raise problem
    try:
        parsed = x509.load_der_x509_csr(request)
        public_key = parsed.public_key()
        if not parsed.is_signature_valid:
            raise problem
    except (ValueError, InvalidSignature, UnsupportedAlgorithm) as exc:
        raise problem from exc
    if not isinstance(public_key, ec.EllipticCurvePublicKey) or not isinstance(public_key.curve, ec.SECP256R1):
        raise problem
    return public_key


def certificate_builder(
    *, subject: x509.Name, issuer: x509.Name, public_key: ec.EllipticCurvePublicKey, now: datetime, lifetime: timedelta
) -> x509.CertificateBuilder:
    """Give a certificate that is yet to get its extensions and signature."""
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public_key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _CLOCK_SKEW)
        .not_valid_after(now + lifetime)
    )


def _key_usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )


def _general_name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)
