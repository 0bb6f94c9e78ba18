"""The coordinator's certificate authority: pure functions over keys, requests and times. docs/protocol.md section 2."""

from isthmus.coordinator.authority.certificates import (
    CERTIFICATE_LIFETIME,
    Authority,
    issue_certificate,
    key_digest,
    key_digest_of_certificate,
    new_authority,
    new_server_certificate,
)

__all__ = [
    "CERTIFICATE_LIFETIME",
    "Authority",
    "issue_certificate",
    "key_digest",
    "key_digest_of_certificate",
    "new_authority",
    "new_server_certificate",
]
