"""Key files at rest: sealed under a passphrase (scrypt, RFC 7914) or under a credential of 32 bytes, with AES-256-GCM.

Bytes in, bytes out: files of mode 0600, prompts and systemd's credential folder are a caller's business. A sealed file
says what it holds (`kind`) and how it was sealed; all of that is authenticated, so one file cannot stand in for
another. docs/protocol.md section 4 has every byte.
"""

import re
from dataclasses import dataclass
from typing import Any, Final

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from isthmus.contract.canonical import canonical_bytes, read_canonical
from isthmus.contract.errors import MalformedDocument, UnsupportedVersion
from isthmus.contract.ids import RandomBytes
from isthmus.contract.secret import Secret
from isthmus.node.keys.errors import WeakSecret, WrongPassphrase

SEALED_FORMAT: Final = "isthmus/sealed/1"
CREDENTIAL_BYTES: Final = 32
MIN_PASSPHRASE_BYTES: Final = 12
MOST_MEMORY_BYTES: Final = 1 << 30
"""Scrypt takes 128 * n * r bytes; a file that asks for more than this is refused, not obeyed."""

_KEY_BYTES: Final = 32
_SALT_BYTES: Final = 16
_NONCE_BYTES: Final = 12
_TAG_BYTES: Final = 16
_HEX = re.compile(r"([0-9a-f]{2})*")


@dataclass(frozen=True, slots=True, kw_only=True)
class ScryptCost:
    """What one guess costs: `n` a power of two, block size `r`, parallelism `p`. The default takes 128 MiB.

    Raises:
        MalformedDocument: a number is out of bounds.
    """

    n: int = 2**17
    r: int = 8
    p: int = 1

    def __post_init__(self) -> None:
        """Check the bounds, which also hold back a file that would make the node run out of memory or time."""
        lawful = self.n >= 2 and self.n & (self.n - 1) == 0 and 1 <= self.r <= 32 and 1 <= self.p <= 16
        if not lawful or 128 * self.n * self.r > MOST_MEMORY_BYTES:
            raise MalformedDocument(document="sealed file", problem="its scrypt cost is out of bounds")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Passphrase:
    """A passphrase that a person types, as UTF-8, and what a guess shall cost when something is sealed with it.

    Opening takes the cost from the file.

    Raises:
        WeakSecret: it is shorter than 12 bytes.
    """

    text: Secret
    cost: ScryptCost = ScryptCost()

    def __post_init__(self) -> None:
        """Check the length."""
        if len(self.text.reveal()) < MIN_PASSPHRASE_BYTES:
            raise WeakSecret(kind="passphrase", problem=f"shorter than {MIN_PASSPHRASE_BYTES} bytes")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Credential:
    """32 random bytes that the service manager hands over.

    Raises:
        WeakSecret: it has another length.
    """

    key: Secret

    def __post_init__(self) -> None:
        """Check the length."""
        if len(self.key.reveal()) != CREDENTIAL_BYTES:
            raise WeakSecret(kind="credential", problem=f"not {CREDENTIAL_BYTES} bytes long")


Opener = Passphrase | Credential


class _ByScrypt(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="scrypt", tag_field="by"):
    n: int
    r: int
    p: int


class _ByCredential(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="credential", tag_field="by"):
    pass


class _Sealed(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    format: str
    kind: str
    opens: _ByScrypt | _ByCredential
    salt: str
    nonce: str
    sealed: str

    def header(self) -> bytes:
        """Give what is authenticated beside the content: all but the content, in canonical form."""
        content: dict[str, Any] = msgspec.to_builtins(self)
        del content["sealed"]
        return canonical_bytes(content)


def seal(content: Secret, *, kind: str, opener: Opener, random_bytes: RandomBytes) -> bytes:
    """Give the sealed file. `kind` names what it holds, such as `identity key`, and is readable in the file."""
    head = _Sealed(
        format=SEALED_FORMAT,
        kind=kind,
        opens=_way(opener),
        salt=random_bytes(_SALT_BYTES).hex(),
        nonce=random_bytes(_NONCE_BYTES).hex(),
        sealed="",
    )
    sealed = AESGCM(_file_key(head, opener)).encrypt(bytes.fromhex(head.nonce), content.reveal(), head.header())
    return canonical_bytes(msgspec.to_builtins(msgspec.structs.replace(head, sealed=sealed.hex())))


def unseal(data: bytes, *, kind: str, opener: Opener) -> Secret:
    """Give the content of a sealed file of that kind.

    Raises:
        MalformedDocument: it is no sealed file, is damaged, holds another kind, or asks for another way of opening.
        UnsupportedVersion: its format is one that this version does not know.
        WrongPassphrase: passphrase or credential do not fit, or the file was altered; the two cannot be told apart.
    """
    file = _read(data)
    if file.kind != kind:
        raise MalformedDocument(document="sealed file", problem=f"it does not hold the {kind}")
    cipher = AESGCM(_file_key(file, opener))
    try:
        return Secret(cipher.decrypt(bytes.fromhex(file.nonce), bytes.fromhex(file.sealed), file.header()))
    except InvalidTag as exc:
        raise WrongPassphrase(kind=kind) from exc


def _read(data: bytes) -> _Sealed:
    file = read_canonical(data, _Sealed, document="sealed file")
    if file.format != SEALED_FORMAT:
        raise UnsupportedVersion(document="sealed file", version=file.format[:60])
    lengths = (len(file.salt) == 2 * _SALT_BYTES, len(file.nonce) == 2 * _NONCE_BYTES)
    is_hex = all(_HEX.fullmatch(value) for value in (file.salt, file.nonce, file.sealed))
    if not all(lengths) or len(file.sealed) < 2 * _TAG_BYTES or not is_hex:
        raise MalformedDocument(document="sealed file", problem="a value in it is not hex of the right length")
    return file


def _way(opener: Opener) -> _ByScrypt | _ByCredential:
    if isinstance(opener, Credential):
        return _ByCredential()
    return _ByScrypt(n=opener.cost.n, r=opener.cost.r, p=opener.cost.p)


def _file_key(file: _Sealed, opener: Opener) -> bytes:
    """Give the key of this one file; the salt is new for each, so that no key meets a nonce twice."""
    salt = bytes.fromhex(file.salt)
    if isinstance(file.opens, _ByCredential) and isinstance(opener, Credential):
        derive = HKDF(algorithm=SHA256(), length=_KEY_BYTES, salt=salt, info=SEALED_FORMAT.encode("ascii"))
        return derive.derive(opener.key.reveal())
    if isinstance(file.opens, _ByScrypt) and isinstance(opener, Passphrase):
        cost = ScryptCost(n=file.opens.n, r=file.opens.r, p=file.opens.p)
        return Scrypt(salt=salt, length=_KEY_BYTES, n=cost.n, r=cost.r, p=cost.p).derive(opener.text.reveal())
    wanted = "passphrase" if isinstance(file.opens, _ByScrypt) else "credential"
    raise MalformedDocument(document="sealed file", problem=f"it opens with a {wanted} only")
