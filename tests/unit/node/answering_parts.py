"""Two nodes that sent their rows in a round that compares fields, and a coordinator's side that a test may bend.

Everything that crosses is built from the shared contract. All people are made up.
"""

import random
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import msgspec
import numpy as np
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from numpy.typing import NDArray
from unit.node.consent.consent_parts import opt_out
from unit.node.parts import COLLEGE, KEYS, RIVERSIDE, ROUND, identity, manifest, project

from isthmus.contract.canonical import Label, sha256, sign
from isthmus.contract.clock import FixedClock
from isthmus.contract.comparison_terms import ComparisonTerms
from isthmus.contract.encodings import submission_digest, submission_from_bytes
from isthmus.contract.errors import Unreachable
from isthmus.contract.field_answers import (
    REQUEST_FORMAT,
    ComparisonAnswers,
    ComparisonRequest,
    answers_from_bytes,
    pack_row_numbers,
    rows_digest,
)
from isthmus.contract.ids import PartyId, RandomBytes
from isthmus.contract.manifest import RoundManifest
from isthmus.contract.project import ProviderTerms
from isthmus.contract.secret import Secret
from isthmus.node.client import Client
from isthmus.node.config import load_config
from isthmus.node.consent.store import open_opt_outs
from isthmus.node.keys.folder import KeyFolder
from isthmus.node.node import Node
from isthmus.node.outbox import payload_path
from isthmus.node.take_part import Step, _prepare, take_step
from isthmus.node.vault import open_vault
from isthmus.party.identity import PLAIN
from isthmus.v1 import common_pb2
from isthmus.v1 import provider_pb2 as pb

COORDINATOR = Ed25519PrivateKey.from_private_bytes(sha256(b"coordinator"))
COORDINATOR_HEX = COORDINATOR.public_key().public_bytes_raw()
MASTER = Secret(b"m" * 32)
NOW = datetime(2026, 9, 15, 12, tzinfo=UTC)
FIELDS = ("first_name", "last_name", "dob", "zip")
COLUMNS = {"first_name": "First", "last_name": "Last", "dob": "Born", "zip": "Zip"}
OTHER_OF = {RIVERSIDE: COLLEGE, COLLEGE: RIVERSIDE}
SLOTS = 4

Rows = NDArray[np.uint32]


def comparing_manifest(**changes: Any) -> RoundManifest:
    """Give a round of two providers that compares four fields, with some parts of the project changed."""
    providers = (
        ProviderTerms(party=RIVERSIDE, dataset="people", fields=FIELDS, max_rows=1_000),
        ProviderTerms(party=COLLEGE, dataset="people", fields=FIELDS, max_rows=1_000),
    )
    parts = {"providers": providers, "comparison": ComparisonTerms(slots=SLOTS), "require_verified": False}
    terms = manifest(project(**(parts | changes)))
    return msgspec.structs.replace(terms, coordinator_key=COORDINATOR_HEX.hex())


MANIFEST = comparing_manifest()


def people(count: int, *, seed: int) -> list[tuple[str, ...]]:
    """Give made-up people: record id, first and last name, birth date, ZIP; households of two share name and ZIP."""
    rng = random.Random(seed)
    return [
        (
            f"REC-{seed}-{row}",
            rng.choice(("Ana", "Ben", "Cleo", "Dan", "Eva", "Finn", "")),
            f"Quorimble{row // 2:03}".translate(str.maketrans("0123456789", "abcdefghij")),
            f"{rng.randrange(1950, 2010)}-{rng.randrange(1, 13):02}-{rng.randrange(1, 29):02}",
            f"{10_000 + row // 2 % 70}",
        )
        for row in range(count)
    ]


def write_people(path: Path, rows: Sequence[Sequence[str]]) -> None:
    """Write a provider's file."""
    path.write_text("\n".join(["Nr,First,Last,Born,Zip", *(",".join(row) for row in rows)]) + "\n")


@contextmanager
def open_parties_node(
    folder: Path, party: PartyId, *, terms: RoundManifest = MANIFEST, random_bytes: RandomBytes
) -> Iterator[Node]:
    """Open a party's node in a folder with its file of people, as it is after the round's key was agreed on."""
    settings = [
        "[datasets.people]", 'file = "people.csv"', 'id_column = "Nr"', "[datasets.people.columns]",
        *(f'{name} = "{column}"' for name, column in COLUMNS.items()),
    ]  # fmt: skip
    (folder / "node.toml").write_text("\n".join(settings) + "\n")
    with closing(open_vault(folder / "vault.sqlite")) as vault:
        node = Node(
            folder=folder,
            config=load_config(folder),
            identity=identity(party, coordinator_key=COORDINATOR_HEX),
            vault=vault,
            keys=KeyFolder(folder=folder / "keys", files=PLAIN),
            random_bytes=random_bytes,
            clock=FixedClock(NOW),
        )
        if not node.keys.has_master(ROUND):
            node.vault.agreements.save_signed(terms.agreement, at="2026-01-15T12:00:00Z")
            node.vault.save_signed(ROUND, terms.to_bytes())
            node.keys.save_master(ROUND, MASTER)
        yield node


def let_submit(node: Node, terms: RoundManifest = MANIFEST) -> bytes:
    """Let a node prepare its rows and have a receipt for them; give the declaration."""
    document = _prepare(node, terms, lambda *_: None)
    node.vault.save_receipt(ROUND, receipt=b"{}", signature=b"")
    payload_path(node.outbox, submission_from_bytes(document)).unlink()
    return document


def let_opt_out(node: Node, *record_ids: str) -> None:
    """Put records on a node's list of opt-outs."""
    with closing(open_opt_outs(node.folder)) as opt_outs:
        opt_outs.opt_out([opt_out(one) for one in record_ids])


@dataclass(kw_only=True)
class Question:
    """What the coordinator asks a party, before it is signed: everything in it may be changed."""

    request: ComparisonRequest
    rows: Rows
    other_submission: bytes
    other_signature: bytes
    key: Ed25519PrivateKey = COORDINATOR
    pieces: list[bytes] | None = None

    def with_rows(self, rows: Rows, *, pairs: int | None = None) -> "Question":
        """Give the question about other rows, with a request that fits them."""
        digest = rows_digest([pack_row_numbers(rows)]).hex()
        request = msgspec.structs.replace(self.request, rows=digest, pairs=len(rows) if pairs is None else pairs)
        return replace(self, request=request, rows=rows)

    def messages(self) -> Iterator[pb.FetchComparisonResponse]:
        """Give it as it is sent, in messages of a few rows each."""
        document, data = self.request.to_bytes(), pack_row_numbers(self.rows)
        pieces = self.pieces or [data[start : start + 400] for start in range(0, len(data), 400)]
        yield pb.FetchComparisonResponse(
            request=document,
            signature=sign(self.key, Label.COMPARISON_REQUEST, document),
            other_submission=self.other_submission,
            other_signature=self.other_signature,
            rows=pieces[0],
        )
        yield from (pb.FetchComparisonResponse(rows=piece) for piece in pieces[1:])


def question(
    party: PartyId, rows: Rows, other_rows: Rows, *, own: bytes, other: bytes, terms: RoundManifest = MANIFEST
) -> Question:
    """Give a lawful question for a party about these of its rows; `own` and `other` are both declarations."""
    request = ComparisonRequest(
        format=REQUEST_FORMAT,
        round_id=terms.round_id,
        manifest_hash=terms.digest().hex(),
        party=party,
        other=OTHER_OF[party],
        pairs=1,
        rows="0" * 64,
        other_rows=rows_digest([pack_row_numbers(other_rows)]).hex(),
        submission=sha256(own).hex(),
        other_submission=sha256(other).hex(),
    )
    whole = Question(
        request=request,
        rows=rows,
        other_submission=other,
        other_signature=sign(KEYS[OTHER_OF[party]], Label.SUBMISSION, other),
    )
    return whole.with_rows(rows)


def even_rows(rows: int, *, pairs: int, seed: int) -> Rows:
    """Give a list in which each row stands as often as any other, or once more, shuffled."""
    rng = np.random.default_rng(seed)
    whole = np.concatenate([np.empty(0, np.intp), *(rng.permutation(rows) for _ in range(-(-pairs // rows)))])[:pairs]
    return cast("Rows", rng.permutation(whole).astype(np.uint32))


class Call:
    """A stream of responses that can be cancelled, as a stub's is."""

    def __init__(self, messages: Iterator[pb.FetchComparisonResponse]) -> None:
        self._messages, self.cancelled = messages, False

    def __iter__(self) -> Iterator[pb.FetchComparisonResponse]:
        return self._messages

    def __next__(self) -> pb.FetchComparisonResponse:
        return next(self._messages)

    def cancel(self) -> None:
        self.cancelled = True


@dataclass
class Hub:
    """The coordinator's side for one party: asks, keeps what it is sent, and drops the line where it is told to."""

    asked: Question
    terms: RoundManifest = MANIFEST
    lose_after: int | None = None
    fetched: int = 0
    declared: list[bytes] = field(default_factory=list)
    chunks: dict[int, bytes] = field(default_factory=dict)
    complete: bool = False
    state: common_pb2.RoundState.ValueType = common_pb2.ROUND_STATE_COMPARING

    def client(self) -> Client:
        """Give a client that calls it."""
        return Client(cast("Any", self), "hub.example.org:7443")

    @property
    def answers(self) -> ComparisonAnswers:
        """What was declared, once, whichever often."""
        (document,) = set(self.declared)
        return answers_from_bytes(document)

    def payload(self) -> NDArray[np.uint8]:
        """Give all answers, shape (pairs, answer_bytes); they fit their declaration."""
        whole = b"".join(self.chunks[index] for index in range(self.answers.chunk_count))
        assert self.answers.digest == submission_digest(sha256(self.chunks[i]) for i in sorted(self.chunks)).hex()
        return np.frombuffer(whole, np.uint8).reshape(-1, self.answers.answer_bytes)

    def GetRound(self, _request: object, **_options: object) -> pb.GetRoundResponse:  # noqa: N802 - as generated
        data = self.terms.to_bytes()
        return pb.GetRoundResponse(
            round=self._summary(),
            manifest=data,
            signatures=[
                common_pb2.ManifestSignature(party_id=party, signature=sign(key, Label.ROUND_MANIFEST, data))
                for party, key in KEYS.items()
            ],
        )

    def FetchComparison(self, _request: object, **_options: object) -> Call:  # noqa: N802 - as generated
        self.fetched += 1
        return Call(self.asked.messages())

    def OpenAnswers(  # noqa: N802 - as generated
        self, request: pb.OpenAnswersRequest, **_options: object
    ) -> pb.OpenAnswersResponse:
        self.declared.append(request.answers)
        return pb.OpenAnswersResponse(next_chunk=len(self.chunks), complete=self.complete)

    def UploadAnswers(  # noqa: N802 - as generated
        self, requests: Iterator[pb.UploadAnswersRequest], **_options: object
    ) -> Iterator[pb.UploadAnswersResponse]:
        for request in requests:
            if self.lose_after is not None and len(self.chunks) >= self.lose_after:
                raise Unreachable(address="hub.example.org:7443", problem="the line broke")
            assert request.digest == sha256(request.payload)
            self.chunks[request.index] = request.payload
            yield pb.UploadAnswersResponse(index=request.index)

    def CompleteAnswers(  # noqa: N802 - as generated
        self, _request: object, **_options: object
    ) -> pb.CompleteAnswersResponse:
        self.complete = True
        return pb.CompleteAnswersResponse(round=self._summary())

    def _summary(self) -> common_pb2.RoundSummary:
        summary = common_pb2.RoundSummary(
            round_id=ROUND,
            project_id=self.terms.project.id,
            state=self.state,
            manifest_hash=self.terms.digest(),
        )
        summary.updated_at.FromDatetime(NOW)
        return summary


@dataclass(frozen=True, kw_only=True)
class Parties:
    """Both nodes, by party, with what they declared of their rows."""

    nodes: dict[PartyId, Node]
    submissions: dict[PartyId, bytes]
    terms: RoundManifest = MANIFEST

    def rows(self, party: PartyId) -> int:
        """How many rows a party sent."""
        return submission_from_bytes(self.submissions[party]).rows

    def asked(self, party: PartyId, rows: Rows | None = None) -> Question:
        """Give a lawful question for a party; about all that the budget allows unless rows are given."""
        granted = self.terms.project.comparison
        most = (granted.slots if granted else 0) * max(map(self.rows, self.nodes))
        lists = {one: even_rows(self.rows(one), pairs=most, seed=len(one)) for one in self.nodes}
        chosen, other_rows = lists[party] if rows is None else rows, lists[OTHER_OF[party]]
        own, other = self.submissions[party], self.submissions[OTHER_OF[party]]
        return question(party, chosen, other_rows, own=own, other=other, terms=self.terms)

    def hub(self, party: PartyId, rows: Rows | None = None) -> Hub:
        """Give the coordinator's side for a party."""
        return Hub(self.asked(party, rows), terms=self.terms)

    def step(self, party: PartyId, hub: Hub) -> Step:
        """Let a party's node do what the round needs of it."""
        return take_step(self.nodes[party], hub.client(), ROUND, report=lambda *_: None)


@contextmanager
def two_parties(
    folder: Path, *, sizes: tuple[int, int] = (60, 40), terms: RoundManifest = MANIFEST
) -> Iterator[Parties]:
    """Open both nodes, with people of their own, once both have sent their rows."""
    with ExitStack() as stack:
        nodes, documents = {}, {}
        for seed, (party, size) in enumerate(zip((RIVERSIDE, COLLEGE), sizes, strict=True), 1):
            (folder / party).mkdir()
            write_people(folder / party / "people.csv", people(size, seed=seed))
            source = random.Random(seed).randbytes
            nodes[party] = stack.enter_context(
                open_parties_node(folder / party, party, terms=terms, random_bytes=source)
            )
            documents[party] = let_submit(nodes[party], terms)
        yield Parties(nodes=nodes, submissions=documents, terms=terms)
