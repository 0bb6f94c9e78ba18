"""The one-time enrolment token as text: where to go, as whom, with which secret, and which CA to trust there.

`isthmus-token-1.` and the base64url of canonical JSON. It carries the coordinator's root certificate whole, so the very
first connection is already to the right coordinator. docs/protocol.md section 2.
"""

import base64
from typing import Final

import msgspec

from isthmus.contract.canonical import canonical_bytes
from isthmus.contract.errors import MalformedDocument
from isthmus.contract.ids import PartyId

TOKEN_BYTES: Final = 32

_PREFIX: Final = "isthmus-token-1."


class EnrolmentToken(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a token says. `secret` is base64 of 32 bytes; `root` the CA certificate in PEM; addresses are host:port."""

    party: PartyId
    enrolment_address: str
    service_address: str
    secret: str
    root: str

    def __repr__(self) -> str:
        """Show the party alone: the secret is one."""
        return f"EnrolmentToken(party={self.party!r})"

    def secret_bytes(self) -> bytes:
        """Give the secret's 32 bytes."""
        return base64.b64decode(self.secret)


def token_text(token: EnrolmentToken) -> str:
    """Give the token as one line of text."""
    return _PREFIX + base64.urlsafe_b64encode(canonical_bytes(msgspec.to_builtins(token))).decode("ascii")


def read_token(text: str) -> EnrolmentToken:
    """Read a token's text; raise `MalformedDocument` where it is cut, mistyped or of another version."""
    stripped = "".join(text.split())
    if not stripped.startswith(_PREFIX):
        raise MalformedDocument(document="enrolment token", problem="it does not begin with isthmus-token-1.")
    try:
        data = base64.b64decode(stripped.removeprefix(_PREFIX), altchars=b"-_", validate=True)
        token = msgspec.json.decode(data, type=EnrolmentToken)
        mistyped = token_text(token) != stripped or not token.root.isascii()
        short = len(base64.b64decode(token.secret, validate=True)) != TOKEN_BYTES
    except (ValueError, RecursionError, msgspec.MsgspecError) as exc:  # binascii and Unicode errors are values'
        raise MalformedDocument(document="enrolment token", problem="it was cut or mistyped") from exc
    if mistyped:
        raise MalformedDocument(document="enrolment token", problem="it was cut or mistyped")
    if short:
        raise MalformedDocument(document="enrolment token", problem="its secret has the wrong length")
    return token
