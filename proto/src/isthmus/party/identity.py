"""A party's identity folder: keys made here that never leave it, the certificate, and whom it enrolled with.

identity.key   Ed25519, PKCS #8 PEM, mode 0600: signs manifests; pinned in agreements, outlives certificates
agreement.key  X25519, PKCS #8 PEM, mode 0600, providers only: what others seal their parts of a round's key to
tls.key        EC P-256, PKCS #8 PEM, mode 0600: the key of the current certificate
tls.crt        the certificate, PEM
root.crt       the coordinator's CA certificate, PEM
party.json     party id, coordinator's address and key

The private keys may lie there sealed: `KeyFiles` is how they are read and written.
"""

import os
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final, Protocol

import msgspec
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
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

_SEALED: Final = b'{"format":"isthmus/sealed/'
"""How a sealed file begins."""


class KeyFiles(Protocol):
    """How private keys lie on disk; `kind` says what a file holds, such as "identity key"."""

    def read(self, path: Path, *, kind: str) -> bytes:
        """Give the content; raise `FileNotFoundError` or `MalformedDocument`."""
        ...

    def write(self, path: Path, content: bytes, *, kind: str) -> None:
        """Keep the content, mode 0600, whole or not at all."""
        ...


class PlainFiles:
    """`KeyFiles` as they are, protected by the file system alone."""

    def read(self, path: Path, *, kind: str) -> bytes:
        """Give the content; raise `FileNotFoundError`, or `MalformedDocument` where it is sealed."""
        data = path.read_bytes()
        if is_sealed(data):
            raise MalformedDocument(document=kind, problem="its file is sealed, and the settings do not say how")
        return data

    def write(self, path: Path, content: bytes, *, kind: str) -> None:  # noqa: ARG002 - what a sealed file would say
        """Keep the content, mode 0600, whole or not at all."""
        write_private(path, content)


PLAIN: Final = PlainFiles()
IDENTITY_KEY: Final = "identity key"
AGREEMENT_KEY: Final = "agreement key"
TLS_KEY: Final = "TLS key"
KEY_KINDS: Final = {"identity.key": IDENTITY_KEY, "agreement.key": AGREEMENT_KEY, "tls.key": TLS_KEY}
"""What each private file of the folder holds."""


class PartyRecord(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What `party.json` holds; `coordinator_key` is an Ed25519 public key in hex."""

    party: PartyId
    service_address: str
    coordinator_key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """An enrolled party, ready to call. Certificate and TLS keys are PEM; `repr` shows the party alone.

    A party that takes part in rounds has an agreement key.
    """

    party: PartyId
    service_address: str
    coordinator_key: bytes
    signing_key: Ed25519PrivateKey
    tls_key: bytes
    certificate: bytes
    root: bytes
    agreement_key: X25519PrivateKey | None = None

    def __repr__(self) -> str:
        """Show the party alone."""
        return f"Identity(party={self.party!r})"


def is_sealed(data: bytes) -> bool:
    """Say whether a file's content is that of a sealed one."""
    return data.startswith(_SEALED)


def make_keys(folder: Path, *, files: KeyFiles = PLAIN) -> tuple[Ed25519PrivateKey, ec.EllipticCurvePrivateKey]:
    """Give the folder's identity key, made now if there is none, and a new TLS key that replaces any older one."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    identity_path = folder / "identity.key"
    if identity_path.exists():
        signing_key = _load_signing_key(identity_path, files)
    else:
        signing_key = Ed25519PrivateKey.generate()
        files.write(identity_path, _pem(signing_key), kind=IDENTITY_KEY)
    return signing_key, ec.generate_private_key(ec.SECP256R1())


def make_agreement_key(folder: Path, *, files: KeyFiles = PLAIN, renew: bool = False) -> X25519PrivateKey:
    """Give the folder's agreement key, or a new one if there is none or another is wanted.

    A new one is kept by `save_enrolment` only: an enrolment that fails must not cost the old one.
    """
    path = folder / "agreement.key"
    keep = path.exists() and not renew
    return _load_agreement_key(path, files) if keep else X25519PrivateKey.generate()


def certificate_request(party: PartyId, tls_key: ec.EllipticCurvePrivateKey) -> bytes:
    """Give a PKCS #10 request (DER) for a client certificate in the party's name."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, party)])
    request = x509.CertificateSigningRequestBuilder().subject_name(name).sign(tls_key, hashes.SHA256())
    return request.public_bytes(Encoding.DER)


def save_enrolment(
    folder: Path,
    *,
    record: PartyRecord,
    tls_key: ec.EllipticCurvePrivateKey,
    certificate: str,
    root: str,
    agreement_key: X25519PrivateKey | None = None,
    files: KeyFiles = PLAIN,
) -> None:
    """Keep what enrolment gave; `party.json` is written last, so that its presence means that all is there."""
    if agreement_key is not None:
        files.write(folder / "agreement.key", _pem(agreement_key), kind=AGREEMENT_KEY)
    files.write(folder / "tls.key", _pem(tls_key), kind=TLS_KEY)
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


def load_identity(folder: Path, *, now: datetime, files: KeyFiles = PLAIN) -> Identity:
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
            signing_key=_load_signing_key(folder / "identity.key", files),
            agreement_key=_agreement_key_if_any(folder / "agreement.key", files),
            tls_key=files.read(folder / "tls.key", kind=TLS_KEY),
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


def unfinished(name: str) -> str:
    """Give the name that a private file has while it is written; one that is found is of a program that was killed."""
    return f"{name}.new"


def write_private(path: Path, data: bytes) -> None:
    """Write a file that only its owner can read, whole or not at all."""
    scratch = path.with_name(unfinished(path.name))
    descriptor = os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        scratch.replace(path)
    except BaseException:
        scratch.unlink(missing_ok=True)
        raise


def _checked_expiry(identity: Identity) -> datetime:
    """Give the certificate's last moment; raise `ValueError` where it, the root or the TLS key does not parse."""
    load_pem_private_key(identity.tls_key, password=None)
    x509.load_pem_x509_certificate(identity.root)
    return x509.load_pem_x509_certificate(identity.certificate).not_valid_after_utc


def _agreement_key_if_any(path: Path, files: KeyFiles) -> X25519PrivateKey | None:
    return _load_agreement_key(path, files) if path.exists() else None


def _load_agreement_key(path: Path, files: KeyFiles) -> X25519PrivateKey:
    key = load_pem_private_key(files.read(path, kind=AGREEMENT_KEY), password=None)
    if not isinstance(key, X25519PrivateKey):
        raise MalformedDocument(document="agreement key", problem="it is not an X25519 key")
    return key


def _load_signing_key(path: Path, files: KeyFiles) -> Ed25519PrivateKey:
    key = load_pem_private_key(files.read(path, kind=IDENTITY_KEY), password=None)
    if not isinstance(key, Ed25519PrivateKey):
        raise MalformedDocument(document="identity key", problem="it is not an Ed25519 key")
    return key


def _pem(key: Ed25519PrivateKey | X25519PrivateKey | ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
