"""A coordinator without its servers, for tests of actions: a real store and real blobs in a temporary folder.

Time stands still until a test sets it, chance is seeded, and parties hold real keys; so two coordinators of one seed
that are asked the same things hold the same bytes, certificates apart. All rows are random bits, nobody's.
"""

import random
import shutil
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from isthmus_local.agreement_file import agreement_file
from numpy.typing import NDArray
from project_files import AGREEMENT, PROJECT, project_text

from isthmus.contract.agreement_views import AgreementSummary
from isthmus.contract.canonical import Label, sha256, sign
from isthmus.contract.clock import FixedClock
from isthmus.contract.encodings import (
    SUBMISSION_FORMAT,
    Submission,
    chunk_count,
    pack_rows,
    row_bytes,
    rows_per_chunk,
    submission_digest,
)
from isthmus.contract.ids import AgreementId, PartyId, RandomBytes, RoundId
from isthmus.contract.key_agreement import (
    SEALED_BYTES,
    Confirmation,
    KeyTerms,
    SignedWraps,
    sign_agreement_key,
    sign_confirmation,
    sign_wraps,
)
from isthmus.contract.known_answers import KnownAnswer, answered_parts
from isthmus.contract.manifest import RoundManifest, manifest_from_bytes
from isthmus.contract.parties import PartyKind, Role
from isthmus.contract.profile import CLK_BITS
from isthmus.contract.round_state import RoundState
from isthmus.contract.views import RoundView
from isthmus.coordinator.actions import agreements, enrolment, key_exchange, matching, rounds, submissions
from isthmus.coordinator.actions.chunks import Resume
from isthmus.coordinator.actions.context import Context, MatchProgress
from isthmus.coordinator.actions.enrolment import Doors, ShownAgreementKey
from isthmus.coordinator.authority import Authority, new_authority
from isthmus.coordinator.domain.records import RoundRow
from isthmus.coordinator.domain.roles import Actor
from isthmus.coordinator.match import ENGINES
from isthmus.coordinator.match.engine import SimilarityEngine
from isthmus.coordinator.store.blobs import BlobFolder
from isthmus.coordinator.store.runs import RunFolders
from isthmus.coordinator.store.sql import open_store, sqlite_url
from isthmus.party.identity import certificate_request
from isthmus.party.token import EnrolmentToken

START = datetime(2026, 1, 15, 12, tzinfo=UTC)
OPERATOR = Actor(party=PartyId("operator"), role=Role.OPERATOR)
DOORS = Doors(enrolment="hub.example.org:7444", service="hub.example.org:7443")
KEY_CHECK = bytes(range(16))


@dataclass(frozen=True, slots=True, kw_only=True)
class Enrolled:
    """A party's own side: in which role it calls, and the identity key that only it holds."""

    actor: Actor
    signing_key: Ed25519PrivateKey

    @property
    def id(self) -> PartyId:
        """The party's id."""
        return self.actor.party


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Rows:
    """Rows to send: handles uint8 (n, 16), and CLKs and tags uint8 (n, row_bits / 8); one plain CLK unless said."""

    handles: NDArray[np.uint8]
    clks: NDArray[np.uint8]

    def __len__(self) -> int:
        """How many rows there are."""
        return len(self.handles)

    def chunks(self) -> list[bytes]:
        """Give the rows as chunks of the wire."""
        row_bits = 8 * self.clks.shape[1]
        payload, size = pack_rows(self.handles, self.clks), rows_per_chunk(row_bits) * row_bytes(row_bits)
        return [payload[start : start + size] for start in range(0, len(payload), size)]

    def with_people_of(self, other: "Rows", count: int) -> "Rows":
        """Give the rows with the first `count` encodings those of the other's first rows: people of both."""
        return replace(self, clks=np.vstack([other.clks[:count], self.clks[count:]]))

    def with_handle_twice(self) -> "Rows":
        """Give the rows with the first handle on the second row too."""
        return replace(self, handles=np.vstack([self.handles[:1], self.handles[:1], self.handles[2:]]))


def random_rows(count: int, *, seed: int) -> Rows:
    """Give rows of random bits, a quarter of them set."""
    numbers = np.random.default_rng(seed)
    halves = numbers.integers(0, 256, (2, count, CLK_BITS // 8), np.uint8)
    return Rows(handles=numbers.integers(0, 256, (count, 16), np.uint8), clks=halves[0] & halves[1])


def seeded_bytes(seed: int) -> RandomBytes:
    """Give a source of the same bytes for the same seed."""
    return random.Random(seed).randbytes


def public_bytes(key: Ed25519PrivateKey) -> bytes:
    """Give the public key, 32 bytes."""
    return key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)


def agreement_key_of(party: PartyId, signing_key: Ed25519PrivateKey, seed: str = "") -> ShownAgreementKey:
    """Give the agreement key that follows from a name and a seed, bound to the party."""
    private = X25519PrivateKey.from_private_bytes(sha256(f"agreement {party} {seed}".encode()))
    key = private.public_key().public_bytes_raw()
    return ShownAgreementKey(key=key, proof=sign_agreement_key(signing_key, party=party, agreement_key=key))


def wraps_of(terms: KeyTerms, provider: Enrolled, seed: str = "") -> SignedWraps:
    """Give signed wraps whose sealed parts nobody can open; to the coordinator they look as all others do."""
    sealed = {
        other: (sha256(f"{provider.id} {other} {seed}".encode()) * 3)[:SEALED_BYTES]
        for other in terms.others(provider.id)
    }
    commitment = sha256(f"commitment {provider.id} {seed}".encode())
    return sign_wraps(terms, sender=provider.id, commitment=commitment, sealed=sealed, key=provider.signing_key)


def agreement_text(*, providers: Sequence[str], analysts: Sequence[str] = (), **changes: Any) -> str:
    """Give a lawful agreement file that counts since a year before `START`, with some keys changed."""
    effective = START.date() - timedelta(days=365)
    settings: dict[str, Any] = {"effective": effective, "agreement": AGREEMENT} | changes
    return agreement_file(providers=providers, analysts=analysts, **settings)


def declare(manifest: RoundManifest, party: PartyId, rows: Rows, /, **changes: Any) -> Submission:
    """Give what the party would declare of these rows, with some fields changed."""
    profile, blocks = manifest.read_profile(), manifest.project.blocks
    declared = Submission(
        format=SUBMISSION_FORMAT,
        round_id=manifest.round_id,
        party=party,
        rows=len(rows),
        clk_bits=profile.clk_bits,
        tables=len(profile.table_names),
        match_keys=len(profile.match_key_names),
        blocks=len(blocks.keys) if blocks else 0,
        chunk_count=chunk_count(rows=len(rows), row_bits=manifest.project.row_bits()),
        digest=submission_digest(sha256(chunk) for chunk in rows.chunks()).hex(),
        key_check=KEY_CHECK.hex(),
        profile_digest=profile.digest(),
        manifest_hash=manifest.digest().hex(),
    )
    return msgspec.structs.replace(declared, **changes)


@dataclass(frozen=True, slots=True, kw_only=True)
class Coordinator:
    """A coordinator, and everybody who calls it."""

    context: Context
    clock: FixedClock
    authority: Authority
    signing_key: Ed25519PrivateKey
    close: Callable[[], None]

    def register(self, party: str, role: Role = Role.PROVIDER) -> PartyId:
        """Register a party."""
        kind = PartyKind.ANALYST if role is Role.ANALYST else PartyKind.DISTRICT
        return enrolment.add_party(
            self.context, OPERATOR, party=PartyId(party), name=party.title(), kind=kind, role=role
        ).id

    def mint(self, party: str) -> EnrolmentToken:
        """Give a fresh enrolment token."""
        return enrolment.mint_token(
            self.context, OPERATOR, party=PartyId(party), authority=self.authority, doors=DOORS
        )[0]

    def enrol(self, token: EnrolmentToken, signing_key: Ed25519PrivateKey, /, **changes: Any) -> str:
        """Enrol with a new TLS key as the token's party, with some fields of the call changed; give the PEM."""
        request = certificate_request(token.party, ec.generate_private_key(ec.SECP256R1()))
        call = {
            "token": token.secret_bytes(),
            "request": request,
            "identity_key": public_bytes(signing_key),
            "identity_proof": sign(signing_key, Label.IDENTITY_PROOF, changes.get("request", request)),
        }
        return enrolment.enrol(self.context, authority=self.authority, **(call | changes))[1]

    def party(self, name: str, role: Role = Role.PROVIDER) -> Enrolled:
        """Register and enrol a party, and give its side."""
        self.register(name, role)
        signing_key = Ed25519PrivateKey.from_private_bytes(sha256(name.encode()))
        shown = agreement_key_of(PartyId(name), signing_key)
        self.enrol(self.mint(name), signing_key, agreement_key=shown)
        return Enrolled(actor=Actor(party=PartyId(name), role=role), signing_key=signing_key)

    def parties(self, *names: str) -> list[Enrolled]:
        """Register and enrol providers."""
        return [self.party(name) for name in names]

    def propose_agreement(
        self, providers: Sequence[Enrolled], *, by: Actor = OPERATOR, analysts: Sequence[str] = (), **changes: Any
    ) -> bytes:
        """Propose an agreement of these providers, with some keys changed; give the hash of the version."""
        text = agreement_text(providers=[one.id for one in providers], analysts=analysts, **changes)
        return agreements.propose_agreement(self.context, by, text=text).digest

    def sign_agreement(self, digest: bytes, *providers: Enrolled) -> AgreementSummary | None:
        """Sign a version as each of the providers; give where it stands then."""
        found = None
        for provider in providers:
            found = agreements.sign_agreement(
                self.context,
                provider.actor,
                digest=digest,
                signature=sign(provider.signing_key, Label.AGREEMENT, self.agreement_bytes(digest)),
            )
        return found

    def agree_once(self, providers: Sequence[Enrolled], *, analysts: Sequence[str] = ()) -> AgreementId:
        """Bring an agreement of these parties in force, unless they have one, or one has not enrolled; give its id."""
        names = " ".join([*(one.id for one in providers), *analysts])
        agreement = AgreementId(f"agreed-{sha256(names.encode()).hex()[:16]}")
        with self.context.store.read() as tx:
            enrolled = all(tx.parties.get(one.id).identity_key for one in providers)
            known = tx.agreements.ids()
        if enrolled and agreement not in known:
            digest = self.propose_agreement(providers, analysts=analysts, agreement=agreement)
            self.sign_agreement(digest, *providers)
        return agreement

    def agreement_bytes(self, digest: bytes) -> bytes:
        """Give the canonical bytes of a version."""
        with self.context.store.read() as tx:
            history = tx.agreements.history(tx.agreements.agreement_of(digest))
        return next(row.document for row in history.versions if row.digest == digest)

    def propose(self, providers: Iterable[Enrolled], **changes: Any) -> RoundId:
        """Add a project of these providers, with some keys changed, and propose a round of it.

        They have an agreement of their own first.
        """
        providers = list(providers)
        changes.setdefault("agreement", self.agree_once(providers, analysts=changes.get("analysts", ())))
        text = project_text(providers=[provider.id for provider in providers], **changes)
        project = rounds.add_project(self.context, OPERATOR, text=text).id
        return rounds.propose_round(
            self.context, OPERATOR, project_id=project, coordinator_key=public_bytes(self.signing_key)
        ).round_id

    def sign(self, round_id: RoundId, *providers: Enrolled) -> None:
        """Sign the round as each of the providers."""
        row = self.row(round_id)
        for provider in providers:
            rounds.sign_round(
                self.context,
                provider.actor,
                round_id=round_id,
                manifest_hash=row.manifest_hash,
                signature=sign(provider.signing_key, Label.ROUND_MANIFEST, row.manifest),
            )

    def agree(self, round_id: RoundId, *providers: Enrolled) -> None:
        """Let the providers put their parts of the key there, then prove it; the coordinator can open neither."""
        terms = self.manifest(round_id).key_terms()
        for provider in providers:
            self.send_wraps(provider, wraps_of(terms, provider), round_id=round_id)
        for provider in providers:
            self.send_confirmation(provider, self.proof_of(round_id, provider), round_id=round_id)

    def send_wraps(self, provider: Enrolled, wraps: SignedWraps, *, round_id: RoundId) -> RoundView:
        """Put a provider's part of the key there."""
        return key_exchange.send_wraps(self.context, provider.actor, round_id=round_id, document=wraps.to_bytes())

    def send_confirmation(self, provider: Enrolled, proof: Confirmation, *, round_id: RoundId) -> RoundView:
        """Send a provider's proof of the key."""
        return key_exchange.send_confirmation(
            self.context, provider.actor, round_id=round_id, document=proof.to_bytes()
        )

    def proof_of(self, round_id: RoundId, provider: Enrolled) -> Confirmation:
        """Give what a provider says to the parts that are there; it gives zeros for those that are not."""
        terms = self.manifest(round_id).key_terms()
        with self.context.store.read() as tx:
            digests = dict.fromkeys(terms.parties(), bytes(32))
            digests |= {one.party: sha256(one.document) for one in tx.keys.wraps(round_id)}
        mac = sha256(f"mac {provider.id}".encode())
        return sign_confirmation(terms, party=provider.id, digests=digests, mac=mac, key=provider.signing_key)

    def answers(self, round_id: RoundId, **changed: bytes) -> tuple[KnownAnswer, ...]:
        """Give what providers of one version answer in preflight; `changed` holds the MACs of some parts' names."""
        manifest = self.manifest(round_id)
        parts = answered_parts(manifest.read_profile(), manifest.project.blocks)
        return tuple(KnownAnswer(part=part, mac=changed.get(part.split(":")[1], bytes(16))) for part in parts)

    def confirm(
        self,
        round_id: RoundId,
        *providers: Enrolled,
        key_check: bytes = KEY_CHECK,
        answers: tuple[KnownAnswer, ...] = (),
    ) -> None:
        """Pass the preflight as each of the providers."""
        digest = bytes.fromhex(self.manifest(round_id).read_profile().digest())
        for provider in providers:
            rounds.confirm_preflight(
                self.context,
                provider.actor,
                round_id=round_id,
                key_check=key_check,
                profile_digest=digest,
                answers=answers or self.answers(round_id),
            )

    def collecting(self, providers: Sequence[Enrolled], **changes: Any) -> RoundId:
        """Take a new round to where it collects."""
        round_id = self.propose(providers, **changes)
        self.sign(round_id, *providers)
        self.agree(round_id, *providers)
        self.confirm(round_id, *providers)
        return round_id

    def open(self, provider: Enrolled, submission: Submission, *, round_id: RoundId | None = None) -> Resume:
        """Declare a submission, to its own round unless another is named."""
        document = submission.to_bytes()
        signature = sign(provider.signing_key, Label.SUBMISSION, document)
        chosen = round_id or submission.round_id
        return submissions.open_submission(
            self.context, provider.actor, round_id=chosen, document=document, signature=signature
        )

    def store(self, provider: Enrolled, round_id: RoundId, index: int, payload: bytes) -> int:
        """Send one chunk."""
        return submissions.store_chunk(
            self.context, provider.actor, round_id=round_id, index=index, digest=sha256(payload), payload=payload
        )

    def complete(self, provider: Enrolled, round_id: RoundId) -> tuple[bytes, bytes]:
        """Close a submission."""
        return submissions.complete_submission(
            self.context, provider.actor, round_id=round_id, signing_key=self.signing_key
        )

    def submit(self, provider: Enrolled, round_id: RoundId, rows: Rows) -> None:
        """Declare, send and close."""
        self.open(provider, declare(self.manifest(round_id), provider.id, rows))
        for index, payload in enumerate(rows.chunks()):
            self.store(provider, round_id, index, payload)
        self.complete(provider, round_id)

    def match(
        self, engine: SimilarityEngine | None = None, *, should_stop: Callable[[], bool] = lambda: False
    ) -> RoundId | None:
        """Claim a round, if there is one, and match it."""
        round_id = matching.claim_round(self.context)
        if round_id is not None:
            matching.match_round(self.context, round_id, engine=engine or small_engine(), should_stop=should_stop)
        return round_id

    def row(self, round_id: RoundId) -> RoundRow:
        """Give the round as it is stored."""
        with self.context.store.read() as tx:
            return tx.rounds.get(round_id)

    def state(self, round_id: RoundId) -> RoundState:
        """Give where the round stands."""
        return self.row(round_id).state

    def manifest(self, round_id: RoundId) -> RoundManifest:
        """Give the round's manifest."""
        return manifest_from_bytes(self.row(round_id).manifest)

    def events(self, scope: str = PROJECT) -> list[dict[str, Any]]:
        """Give the audit events of a scope."""
        with self.context.store.read() as tx:
            return [msgspec.json.decode(event) for event in tx.events(scope)]


def small_engine() -> SimilarityEngine:
    """Give the real engine, in this process."""
    return ENGINES["anonlink"](workers=1, max_pairs=1_000_000)


def empty_database(path: Path) -> Path:
    """Make the file of a store that holds nothing, for coordinators to begin from."""
    open_store(sqlite_url(path)).close()
    return path


def new_coordinator(folder: Path, *, seed: int = 1, database: Path | None = None) -> Coordinator:
    """Make a coordinator in an empty folder; a copy of an empty `database` saves making the schema again."""
    blobs, clock = BlobFolder(folder / "blobs"), FixedClock(START)
    blobs.prepare()
    if database is not None:
        shutil.copy(database, folder / "coordinator.sqlite")
    store = open_store(sqlite_url(folder / "coordinator.sqlite"))
    context = Context(
        store=store,
        blobs=blobs,
        clock=clock,
        random_bytes=seeded_bytes(seed),
        progress=MatchProgress(),
        runs=RunFolders(folder / "runs"),
    )
    return Coordinator(
        context=context,
        clock=clock,
        authority=new_authority(now=START),
        signing_key=Ed25519PrivateKey.from_private_bytes(sha256(b"coordinator")),
        close=store.close,
    )
