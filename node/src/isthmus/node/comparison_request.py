"""What a coordinator asks about a node's rows, held against what the node signed and sent, before anything is answered.

The budget follows from the number of rows of both data sets. The other's is taken from the declaration that the other
provider signed, so that a coordinator cannot make it larger. docs/protocol.md section 13.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from isthmus.contract.canonical import Label, sha256, verify
from isthmus.contract.encodings import Submission, submission_from_bytes
from isthmus.contract.errors import MalformedDocument, SignatureInvalid, SubmissionMalformed
from isthmus.contract.field_answers import (
    ROW_NUMBER_BYTES,
    ComparisonRequest,
    budget_problem,
    lists_digest,
    most_pairs,
    request_from_bytes,
    rows_digest,
    unpack_row_numbers,
)
from isthmus.contract.ids import PartyId
from isthmus.contract.manifest import RoundManifest
from isthmus.node.client import Asked
from isthmus.node.errors import ComparisonRefused

OTHER_PAIRS = "it asks for other pairs than before, which would show how two of this node's own rows differ"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Pairs:
    """Pairs that this node may answer for.

    `request` is its digest (SHA-256), `lists` what its pads follow from (`lists_digest`), `rows` this node's own row in
    each, uint32.
    """

    request: bytes
    lists: bytes
    rows: NDArray[np.uint32]


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What a request has to fit: the signed manifest, who asks whom about whom, and this node's declaration."""

    manifest: RoundManifest
    party: PartyId
    other: PartyId
    submission: bytes

    @property
    def is_left(self) -> bool:
        """Whether this node comes before the other provider in the project."""
        order = self.manifest.project.provider_ids()
        return order.index(self.party) < order.index(self.other)

    def refused(self, problem: str) -> ComparisonRefused:
        """Give the error that says so."""
        return ComparisonRefused(round_id=self.manifest.round_id, other=self.other, problem=problem)


def checked_pairs(asked: Asked, terms: Terms) -> Pairs:
    """Return the pairs only if this node may answer for all of them.

    Row numbers take 4 bytes a pair in memory, and are not read where the request asks for too many.

    Raises:
        ComparisonRefused: it may not.
        UnsupportedVersion: a document is of another version.
    """
    try:
        verify(bytes.fromhex(terms.manifest.coordinator_key), Label.COMPARISON_REQUEST, asked.request, asked.signature)
        request = request_from_bytes(asked.request)
        other = _other_submission(asked, request, terms)
    except (SignatureInvalid, MalformedDocument, SubmissionMalformed) as exc:
        raise terms.refused(f"{exc}") from exc
    own_rows, slots = submission_from_bytes(terms.submission).rows, _slots(terms)
    problem = _request_problem(request, terms)
    if problem is None and request.pairs > most_pairs(slots=slots, rows=(own_rows, other.rows)):
        problem = "it asks for more pairs than the project grants"
    if problem is not None:
        raise terms.refused(problem)
    rows = _read_rows(asked.rows, request, terms)
    problem = budget_problem(rows, own_rows=own_rows, other_rows=other.rows, slots=slots)
    if problem is not None:
        raise terms.refused(problem)
    return Pairs(request=sha256(asked.request), lists=lists_digest(request, left=terms.is_left), rows=rows)


def _slots(terms: Terms) -> int:
    granted = terms.manifest.project.comparison
    return granted.slots if granted else 0


def _other_submission(asked: Asked, request: ComparisonRequest, terms: Terms) -> Submission:
    """Give the other provider's declaration if that provider signed it, for this round, and within its own terms."""
    member, brings = terms.manifest.member(terms.other), terms.manifest.terms(terms.other)
    if member is None or brings is None:
        raise terms.refused("its other provider is no member of the round")
    if sha256(asked.other_submission).hex() != request.other_submission:
        raise terms.refused("its declaration of the other provider's rows is not the one that it names")
    verify(bytes.fromhex(member.identity_key), Label.SUBMISSION, asked.other_submission, asked.other_signature)
    other = submission_from_bytes(asked.other_submission)
    told = (other.round_id, other.party, other.manifest_hash)
    if told != (terms.manifest.round_id, terms.other, terms.manifest.digest().hex()) or other.rows > brings.max_rows:
        raise terms.refused("the other provider's declaration is of another round or party, or over its max_rows")
    return other


def _request_problem(request: ComparisonRequest, terms: Terms) -> str | None:
    if (request.round_id, request.manifest_hash) != (terms.manifest.round_id, terms.manifest.digest().hex()):
        return "it is of another round, or of other terms than this node signed"
    if (request.party, request.other) != (terms.party, terms.other):
        return "it is about other providers than were asked for"
    if request.submission != sha256(terms.submission).hex():
        return "it is about other rows than this node sent"
    return None


def _read_rows(pieces: Iterable[bytes], request: ComparisonRequest, terms: Terms) -> NDArray[np.uint32]:
    data, size = bytearray(), request.pairs * ROW_NUMBER_BYTES
    for piece in pieces:
        data += piece
        if len(data) > size:
            break
    if len(data) != size or rows_digest([bytes(data)]).hex() != request.rows:
        raise terms.refused("its row numbers are not those that it is signed for")
    return unpack_row_numbers(bytes(data))
