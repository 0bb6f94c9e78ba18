"""Feature keys: every feature gets a pair of its own out of the linkage secret, so that equal tokens of two features
set different bits.

Source: HKDF, RFC 5869; the order of the keys is that of clkhash 0.18.3.
"""

from cryptography.hazmat.primitives.hashes import SHA256, SHA512
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from isthmus.contract.linkage_schema import KEYS_PER_FEATURE, LinkageSchema

KeyPair = tuple[bytes, bytes]


def derive_feature_keys(schema: LinkageSchema, secret: bytes) -> tuple[KeyPair, ...]:
    """Give one pair of keys of `kdf.key_size` bytes for each feature of the schema, ignored ones too, in order."""
    size = schema.kdf.key_size
    digest = SHA512() if schema.kdf.hash == "SHA512" else SHA256()
    hkdf = HKDF(
        algorithm=digest,
        length=KEYS_PER_FEATURE * size * len(schema.features),
        salt=schema.kdf.salt,
        info=schema.kdf.info,
    )
    stream = hkdf.derive(secret)
    starts = range(0, len(stream), KEYS_PER_FEATURE * size)
    return tuple((stream[at : at + size], stream[at + size : at + 2 * size]) for at in starts)
