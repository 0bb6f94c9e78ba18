"""The authority of a cluster: a root apart from that of the parties, and certificates for its machines.

It is apart because a scheduler lets in whoever holds any certificate of its root, and runs whatever that one sends:
under the parties' root, each provider could.
"""

from datetime import datetime, timedelta
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from isthmus.coordinator.authority.certificates import Authority, certificate_builder, new_authority

CLUSTER_ROOT_NAME: Final = "Isthmus cluster root"
MEMBER_LIFETIME: Final = timedelta(days=30)


def new_cluster_authority(*, now: datetime) -> Authority:
    """Make a cluster's root of ten years."""
    return new_authority(now=now, name=CLUSTER_ROOT_NAME)


def new_member_certificate(authority: Authority, *, name: str, now: datetime) -> tuple[bytes, bytes]:
    """Give a key and a certificate of thirty days, both PEM, for a scheduler, its workers, or the coordinator.

    All of these are server and client to each other.
    """
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    issuer, usages = authority.certificate.subject, [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
    certificate = (
        certificate_builder(
            subject=subject, issuer=issuer, public_key=key.public_key(), now=now, lifetime=MEMBER_LIFETIME
        )
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage(usages), critical=False)
        .sign(authority.key, hashes.SHA256())
    )
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()), certificate.public_bytes(Encoding.PEM)
