"""Providers of a round in which fields are compared: real answers of `isthmus.node.compare` to what the actions ask.

Encodings are random bits, equal for rows that are to be candidates; values of fields are made up, and nobody's. So a
test says apart which rows are found and which are one person.
"""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from harness import Coordinator, Enrolled, Rows, random_rows, seeded_bytes
from numpy.typing import NDArray

from isthmus.contract.canonical import Label, sha256, sign
from isthmus.contract.encodings import submission_digest
from isthmus.contract.field_answers import (
    ANSWERS_FORMAT,
    ComparisonAnswers,
    NearMisses,
    answers_per_chunk,
    pad_numbers,
    request_from_bytes,
    row_numbers,
    unpack_row_numbers,
)
from isthmus.contract.hardened import HardenedProfile
from isthmus.contract.ids import PartyId, RoundId
from isthmus.contract.levels import LEVELS
from isthmus.contract.secret import Secret
from isthmus.contract.tombstones import tombstones_document
from isthmus.coordinator.actions import answers
from isthmus.coordinator.actions.answers import Fetched
from isthmus.coordinator.actions.chunks import Resume
from isthmus.coordinator.actions.tombstones import tombstone_rows
from isthmus.coordinator.domain.pseudonyms import PseudonymRow, unpack_pseudonyms
from isthmus.node.compare.answers import Answers, Side
from isthmus.node.compare.pads import PadKeys
from isthmus.node.compare.row_fields import read_row_fields

COMPARE, PAD = Secret(bytes(32)), Secret(bytes([1]) * 32)
TERMS = {"slots": 8}
Person = Mapping[str, str]


def people(count: int, *, seed: int) -> list[Person]:
    """Give made-up people, of whom hardly two have anything in common; sex is the exception."""
    chance = random.Random(seed)

    def word() -> str:
        return "".join(chance.choices("abcdefghijklmnoprstuvwy", k=8))

    return [
        {
            "first_name": word(),
            "last_name": word(),
            "dob": f"{chance.randint(1950, 2010)}{chance.randint(1, 12):02}{chance.randint(1, 28):02}",
            "zip": f"{chance.randint(10_000, 99_999)}",
            "phone": f"{chance.randint(10**9, 10**10 - 1)}",
            "sex": chance.choice("FM"),
        }
        for _ in range(count)
    ]


def near_misses(fields: Sequence[str], *, share: float = 0.01) -> tuple[NearMisses, ...]:
    """Give one kind of near misses, in which all levels are equally frequent."""
    levels = {name: tuple([1 / len(LEVELS[name].names)] * len(LEVELS[name].names)) for name in fields}
    return (NearMisses(share=share, levels=levels),)


@dataclass(kw_only=True)
class FieldNode:
    """A provider with its rows: what it sent of them, and the people that they are of."""

    hub: Coordinator
    party: Enrolled
    people: Sequence[Person]
    sent: Rows
    round_id: RoundId = field(default=RoundId(""))

    @property
    def id(self) -> PartyId:
        """The provider's id."""
        return self.party.id

    def fetch(self, other: PartyId) -> Fetched:
        """Ask what is asked of it about pairs with the other."""
        return answers.fetch_comparison(
            self.hub.context,
            self.party.actor,
            round_id=self.round_id,
            other=other,
            signing_key=self.hub.signing_key,
        )

    def chunks(self, other: PartyId) -> list[bytes]:
        """Answer every pair, and give the answers as chunks of the wire; the same each time."""
        project = self.hub.manifest(self.round_id).project
        comparison, providers = project.comparison_of(self.id, other), project.provider_ids()
        left, right = sorted((self.id, other), key=providers.index)
        columns = {name: [person.get(name, "") for person in self.people] for name in comparison.fields}
        made = Answers(
            comparison=comparison,
            rows=read_row_fields(columns, comparison, compare=COMPARE, pad=PAD),
            keys=PadKeys(pad=PAD, left=left, right=right),
            side=Side.LEFT if left == self.id else Side.RIGHT,
            random_bytes=seeded_bytes(7),
        )
        rows, full = self.rows(other), answers_per_chunk(comparison.answer_bytes)
        return [
            made.of(row_numbers(rows[at : at + full]), numbers=pad_numbers(rows[at : at + full], first=at)).tobytes()
            for at in range(0, len(rows), full)
        ]

    def rows(self, other: PartyId) -> NDArray[np.uint32]:
        """Give its row in each pair."""
        return unpack_row_numbers(b"".join(self.fetch(other).rows))

    def declaration(self, other: PartyId, chunks: Sequence[bytes]) -> ComparisonAnswers:
        """Give what it declares of these chunks."""
        project = self.hub.manifest(self.round_id).project
        request = self.fetch(other).request
        return ComparisonAnswers(
            format=ANSWERS_FORMAT,
            round_id=self.round_id,
            party=self.id,
            other=other,
            request=sha256(request).hex(),
            pairs=request_from_bytes(request).pairs,
            answer_bytes=project.comparison_of(self.id, other).answer_bytes,
            chunk_count=len(chunks),
            digest=submission_digest(map(sha256, chunks)).hex(),
            near_misses=near_misses(project.comparable_fields(self.id)),
        )

    def open(self, declared: ComparisonAnswers) -> Resume:
        """Declare answers."""
        document = declared.to_bytes()
        signature = sign(self.party.signing_key, Label.COMPARISON_ANSWERS, document)
        return answers.open_answers(
            self.hub.context, self.party.actor, round_id=self.round_id, document=document, signature=signature
        )

    def store(self, other: PartyId, index: int, payload: bytes) -> int:
        """Send one chunk of answers."""
        return answers.store_answers(
            self.hub.context,
            self.party.actor,
            round_id=self.round_id,
            other=other,
            index=index,
            digest=sha256(payload),
            payload=payload,
        )

    def complete(self, other: PartyId) -> None:
        """Close its answers."""
        answers.complete_answers(self.hub.context, self.party.actor, round_id=self.round_id, other=other)

    def answer(self, *others: PartyId) -> None:
        """Answer for all pairs with these providers."""
        for other in others:
            chunks = self.chunks(other)
            self.open(self.declaration(other, chunks))
            for index, payload in enumerate(chunks):
                self.store(other, index, payload)
            self.complete(other)

    def map(self) -> list[PseudonymRow]:
        """Give its pseudonyms."""
        with self.hub.context.store.read() as tx:
            result = tx.results.find(self.round_id, self.id)
        assert result is not None
        return list(unpack_pseudonyms(self.hub.context.blobs.get(result.digest)))

    def linked(self) -> dict[int, str]:
        """Give which of its rows linked, by place, with a name of the person."""
        place = {handle.tobytes(): row for row, handle in enumerate(self.sent.handles)}
        return {place[row.handle]: row.pseudonym for row in self.map()}


def encodings(count: int, *, seed: int, hub: Coordinator, round_id: RoundId) -> Rows:
    """Give rows of strangers as the round's profile makes them."""
    plain, profile = random_rows(count, seed=seed), hub.manifest(round_id).read_profile()
    if not isinstance(profile, HardenedProfile):
        return plain
    return replace(plain, clks=np.random.default_rng(seed).integers(0, 256, (count, profile.row_bits // 8), np.uint8))


def field_round(
    hub: Coordinator, *groups: Sequence[int], parties: Sequence[Enrolled] = (), **changes: object
) -> list[FieldNode]:
    """Give a sealed round of providers, each of which holds these people, in this order.

    People are numbers; two rows are candidates of each other where their numbers are equal, a negative number being
    the candidate of the positive one, but another person.
    """
    settings = {"profile": "interop-1", "min_cell_count": 3, "comparison": TERMS} | changes
    parties = parties or hub.parties(*("riverside", "college", "wages", "county")[: len(groups)])
    round_id = hub.collecting(parties, **settings)
    size = max(abs(number) for group in groups for number in group) + 1
    known, strangers = people(size, seed=1), people(size, seed=2)
    found = encodings(size, seed=3, hub=hub, round_id=round_id)
    nodes = []
    for place, (party, group) in enumerate(zip(parties, groups, strict=True)):
        handles = random_rows(len(group), seed=10 + place).handles
        rows = Rows(handles=handles, clks=found.clks[np.abs(np.array(group))])
        held = [known[number] if number >= 0 else strangers[-number] for number in group]
        nodes.append(FieldNode(hub=hub, party=party, people=held, sent=rows, round_id=round_id))
        hub.submit(party, round_id, rows)
    return nodes


def strike(node: FieldNode, *rows: int) -> None:
    """Strike some of the node's rows out."""
    handles = sorted(node.sent.handles[row].tobytes() for row in rows)
    document = tombstones_document(handles, round_id=node.round_id, party=node.id)
    signature = sign(node.party.signing_key, Label.TOMBSTONES, document)
    tombstone_rows(node.hub.context, node.party.actor, round_id=node.round_id, handles=handles, signature=signature)


def result_bytes(hub: Coordinator, round_id: RoundId) -> list[bytes]:
    """Give all that is stored of a round's result."""
    manifest = hub.manifest(round_id)
    with hub.context.store.read() as tx:
        found = [tx.results.find(round_id, party) for party in manifest.project.provider_ids()]
        digests = [tx.results.entities(round_id), *(one.digest for one in found if one is not None)]
        tables = [release.document for release in tx.results.releases()]
    assert len(digests) == 1 + len(manifest.members)
    return [*(hub.context.blobs.get(digest) for digest in digests if digest), *tables]


def compared(nodes: Sequence[FieldNode]) -> None:
    """Let every provider answer about its pairs with every other one."""
    for node in nodes:
        node.answer(*(other.id for other in nodes if other is not node))
