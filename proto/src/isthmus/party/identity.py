"""A party's identity folder: keys made here that never leave it, the certificate, and whom it enrolled with.

identity.key   Ed25519, PKCS #8 PEM, mode 0600: signs manifests; pinned in agreements, outlives certificates
tls.key        EC P-256, PKCS #8 PEM, mode 0600: the key of the current certificate
tls.crt        the certificate, PEM
root.crt       the coordinator's CA certificate, PEM
party.json     party id, coordinator's address and key
"""

import os
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import msgspec
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import NameOID

from isthmus.contract.clock import to_text
from isthmus.contract.errors import CertificateExpired, MalformedDocument
from isthmus.contract.ids import PartyId
from isthmus.party.errors import NotEnrolled


class PartyRecord(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What `party.json` holds; `coordinator_key` is an Ed25519 public key in hex."""

    party: PartyId
    service_address: str
    coordinator_key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """An enrolled party, ready to call. Certificate and keys are PEM; `repr` shows the party alone."""

    party: PartyId
    service_address: str
    coordinator_key: bytes
    signing_key: Ed25519PrivateKey
    tls_key: bytes
    certificate: bytes
    root: bytes

    def __repr__(self) -> str:
        """Show the party alone."""
        return f"Identity(party={self.party!r})"


def make_keys(folder: Path) -> tuple[Ed25519PrivateKey, ec.EllipticCurvePrivateKey]:
    """Give the folder's identity key, made now if there is none, and a new TLS key that replaces any older one."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    identity_path = folder / "identity.key"
    if identity_path.exists():
        signing_key = _load_signing_key(identity_path)
    else:
        signing_key = Ed25519PrivateKey.generate()
        write_private(identity_path, _pem(signing_key))
    return signing_key, ec.generate_private_key(ec.SECP256R1())


def certificate_request(party: PartyId, tls_key: ec.EllipticCurvePrivateKey) -> bytes:
    """Give a PKCS #10 request (DER) for a client certificate in the party's name."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, party)])
    request = x509.CertificateSigningRequestBuilder().subject_name(name).sign(tls_key, hashes.SHA256())
    return request.public_bytes(Encoding.DER)


def save_enrolment(
    folder: Path, *, record: PartyRecord, tls_key: ec.EllipticCurvePrivateKey, certificate: str, root: str
) -> None:
    """Keep what enrolment gave; `party.json` is written last, so that its presence means that all is there."""
    write_private(folder / "tls.key", _pem(tls_key))
    write_private(folder / "tls.crt", certificate.encode("ascii"))
    write_private(folder / "root.crt", root.encode("ascii"))
    write_private(folder / "party.json", msgspec.json.encode(record))


def enrolled_party(folder: Path) -> PartyId | None:
    """Give the party that enrolled in the folder, if one did; raise `MalformedDocument` where its record is damaged."""
    try:
        return msgspec.json.decode((folder / "party.json").read_bytes(), type=PartyRecord).party
    except FileNotFoundError:
        return None
    except msgspec.MsgspecError as exc:
        raise MalformedDocument(document="identity folder", problem="a file in it is damaged") from exc


def load_identity(folder: Path, *, now: datetime) -> Identity:
    """Load an enrolled party.

    Raises:
        NotEnrolled: the folder holds no enrolled party.
        MalformedDocument: a file of it is damaged.
        CertificateExpired: the certificate's last moment is before `now`.
    """
    try:
        record = msgspec.json.decode((folder / "party.json").read_bytes(), type=PartyRecord)
        identity = Identity(
            party=record.party,
            service_address=record.service_address,
            coordinator_key=bytes.fromhex(record.coordinator_key),
            signing_key=_load_signing_key(folder / "identity.key"),
            tls_key=(folder / "tls.key").read_bytes(),
            certificate=(folder / "tls.crt").read_bytes(),
            root=(folder / "root.crt").read_bytes(),
        )
        expires = _checked_expiry(identity)
    except FileNotFoundError as exc:
        raise NotEnrolled(folder=folder.parent.name) from exc
    except (ValueError, TypeError, msgspec.MsgspecError) as exc:  # TypeError: a key file under a passphrase
        raise MalformedDocument(document="identity folder", problem="a file in it is damaged") from exc
    if expires < now:
        raise CertificateExpired(expired_at=to_text(expires))
    return identity


def write_private(path: Path, data: bytes) -> None:
    """Write a file that only its owner can read, whole or not at all."""
    scratch = path.with_name(path.name + ".new")
    descriptor = os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    scratch.replace(path)


def _checked_expiry(identity: Identity) -> datetime:
    """Give the certificate's last moment; raise `ValueError` where it, the root or the TLS key does not parse."""
    load_pem_private_key(identity.tls_key, password=None)
    x509.load_pem_x509_certificate(identity.root)
    return x509.load_pem_x509_certificate(identity.certificate).not_valid_after_utc


def _load_signing_key(path: Path) -> Ed25519PrivateKey:
    key = load_pem_private_key(path.read_bytes(), password=None)
    if not isinstance(key, Ed25519PrivateKey):
        raise MalformedDocument(document="identity key", problem="it is not an Ed25519 key")
    return key


def _pem(key: Ed25519PrivateKey | ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
