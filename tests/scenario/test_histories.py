"""Random histories of one coordinator: whatever parties do, in whatever order and however often, some things never are.

Acts are drawn by Hypothesis: proposing, signing with right and wrong keys, declining, sending right and other parts of
a key, proving it too early and twice, confirming right and wrong keys, declaring, sending right, damaged and other
chunks, completing too early and twice, striking out own and others' rows, cancelling, matching, fetching.
Never: an acknowledged chunk lost; an ID for a row that was struck out; a result without all signatures, confirmations
and receipts; two results; an unlawful step; an error without a type; a hole in the log.
"""

import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

import msgspec
from harness import KEY_CHECK, OPERATOR, Enrolled, Rows, declare, empty_database, new_coordinator, random_rows, wraps_of
from hypothesis import HealthCheck, event, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from project_files import PROJECT

from isthmus.contract.audit_log import GENESIS
from isthmus.contract.canonical import Label, sha256, sign
from isthmus.contract.errors import IsthmusError
from isthmus.contract.ids import RoundId
from isthmus.contract.round_state import RoundState
from isthmus.contract.tombstones import tombstones_document
from isthmus.coordinator.actions import results, rounds
from isthmus.coordinator.actions.tombstones import tombstone_rows
from isthmus.coordinator.domain.rounds import TRANSITIONS

PARTIES = st.sampled_from([0, 1])
SELDOM = st.integers(0, 11).map(lambda drawn: drawn == 7)
"""Ends of rounds are drawn seldom, or few histories would get far."""


class Histories(RuleBasedStateMachine):
    """One coordinator, two providers who may do anything, and at most one round under way."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="isthmus-history-"))
        self.hub = new_coordinator(self.folder, database=empty_database(self.folder / "empty.sqlite"))
        self.parties: list[Enrolled] = self.hub.parties("district", "college")
        self.rows: list[list[Rows]] = [
            [random_rows(12, seed=10), random_rows(12, seed=11)],
            [random_rows(9, seed=20).with_people_of(random_rows(12, seed=10), 6), random_rows(9, seed=21)],
        ]
        self.round_id = RoundId("none-yet")
        self.acknowledged: dict[tuple[RoundId, int], bytes] = {}
        self.receipts: dict[tuple[RoundId, int], bytes] = {}
        self.struck_out: set[tuple[RoundId, int, bytes]] = set()
        self.parts: dict[tuple[RoundId, int], bytes] = {}
        self.fetched: dict[tuple[RoundId, int], list[tuple[bytes, str]]] = {}

    def teardown(self) -> None:
        self.hub.close()
        shutil.rmtree(self.folder)

    @initialize()
    def add_project(self) -> None:
        self.round_id = self.hub.propose(self.parties)

    @precondition(lambda self: self.hub.state(self.round_id) in {RoundState.RELEASED, RoundState.CANCELLED})
    @rule()
    def propose_another(self) -> None:
        self.round_id = self.hub.propose(self.parties)

    @rule(party=PARTIES, stranger=st.booleans())
    def sign(self, party: int, stranger: bool) -> None:
        signer = self.parties[party]
        key = self.parties[1 - party].signing_key if stranger else signer.signing_key
        self.attempt(lambda: self.hub.sign(self.round_id, Enrolled(actor=signer.actor, signing_key=key)))

    @rule(party=PARTIES, really=SELDOM)
    def decline(self, party: int, really: bool) -> None:
        row, actor = self.hub.row(self.round_id), self.parties[party].actor
        if really:
            hash_ = row.manifest_hash
            self.attempt(
                lambda: rounds.decline_round(self.hub.context, actor, round_id=self.round_id, manifest_hash=hash_)
            )

    @rule(party=PARTIES, other=st.sampled_from(["", "", "another part"]), stranger=SELDOM)
    def send_part(self, party: int, other: str, stranger: bool) -> None:
        terms, sender = self.hub.manifest(self.round_id).key_terms(), self.parties[party]
        wraps = wraps_of(terms, self.parties[1 - party] if stranger else sender, other)
        if self.attempt(lambda: self.hub.send_wraps(sender, wraps, round_id=self.round_id)):
            document = wraps.to_bytes()
            assert self.parts.setdefault((self.round_id, party), document) == document, "a part changed"

    @rule(party=PARTIES)
    def prove(self, party: int) -> None:
        proof = self.hub.proof_of(self.round_id, self.parties[party])
        if self.attempt(lambda: self.hub.send_confirmation(self.parties[party], proof, round_id=self.round_id)):
            assert {(self.round_id, 0), (self.round_id, 1)} <= set(self.parts), "proved before every part was there"

    @rule(party=PARTIES, wrong=st.sampled_from([False, False, True]))
    def confirm(self, party: int, wrong: bool) -> None:
        key_check = bytes(16) if wrong else KEY_CHECK
        self.attempt(lambda: self.hub.confirm(self.round_id, self.parties[party], key_check=key_check))

    @rule(party=PARTIES, which=st.sampled_from([0, 0, 0, 1]))
    def declare(self, party: int, which: int) -> None:
        provider = self.parties[party]
        submission = declare(self.hub.manifest(self.round_id), provider.id, self.rows[party][which])
        self.attempt(lambda: self.hub.open(provider, submission))

    @rule(party=PARTIES, which=st.sampled_from([0, 0, 0, 1]), damaged=st.sampled_from([False, False, True]))
    def send(self, party: int, which: int, damaged: bool) -> None:
        payload = self.rows[party][which].chunks()[0]
        sent = payload[:-1] if damaged else payload
        if self.attempt(lambda: self.hub.store(self.parties[party], self.round_id, 0, sent)):
            assert self.acknowledged.setdefault((self.round_id, party), sent) == sent, "a slot took two contents"

    @rule(party=PARTIES)
    def complete(self, party: int) -> None:
        def act() -> None:
            receipt, _ = self.hub.complete(self.parties[party], self.round_id)
            assert self.receipts.setdefault((self.round_id, party), receipt) == receipt, "a receipt changed"

        if not self.attempt(act):
            with self.hub.context.store.read() as tx:
                if tx.submissions.find(self.round_id, self.parties[party].id) is None:
                    self.acknowledged.pop((self.round_id, party), None)  # discarded whole, and said so

    @rule(steps=st.integers(1, 6))
    def go_on(self, steps: int) -> None:
        """Let everybody take lawful steps, so that histories get far enough to go wrong late."""
        for step in range(steps):
            party, state = step % 2, self.hub.state(self.round_id)
            if state is RoundState.PROPOSED:
                self.sign(party, stranger=False)
            elif state is RoundState.LOCKED:
                self.send_part(party, other="", stranger=False)
                self.prove(party)
            elif state is RoundState.PREFLIGHT:
                self.confirm(party, wrong=False)
            elif state is RoundState.COLLECTING:
                self.declare(party, which=0)
                self.send(party, which=0, damaged=False)
                self.complete(party)
            else:
                self.match()

    @rule()
    def match(self) -> None:
        self.hub.match()

    @rule(party=PARTIES)
    def fetch(self, party: int) -> None:
        def act() -> None:
            _, batches = results.fetch_pseudonyms(self.hub.context, self.parties[party].actor, round_id=self.round_id)
            rows = [(row.handle, str(row.pseudonym)) for batch in batches for row in batch]
            assert self.fetched.setdefault((self.round_id, party), rows) == rows, "a result changed"
            assert not [row for row in rows if (self.round_id, party, row[0]) in self.struck_out], "an ID for nobody"

        event(f"fetching while {self.hub.state(self.round_id).value}")
        if self.attempt(act):
            assert self.hub.state(self.round_id) is RoundState.RELEASED

    @rule(party=PARTIES, row=st.integers(0, 8), foreign=SELDOM)
    def strike_out(self, party: int, row: int, foreign: bool) -> None:
        provider, rows = self.parties[party], self.rows[1 - party if foreign else party][0]
        handle = rows.handles[row].tobytes()
        signature = sign(
            provider.signing_key,
            Label.TOMBSTONES,
            tombstones_document([handle], round_id=self.round_id, party=provider.id),
        )
        event(f"striking out while {self.hub.state(self.round_id).value}")
        if self.attempt(
            lambda: tombstone_rows(
                self.hub.context, provider.actor, round_id=self.round_id, handles=[handle], signature=signature
            )
        ):
            assert not foreign
            self.struck_out.add((self.round_id, party, handle))

    @rule(really=SELDOM)
    def cancel(self, really: bool) -> None:
        if really:
            self.attempt(lambda: rounds.cancel_round(self.hub.context, OPERATOR, round_id=self.round_id))

    @invariant()
    def what_is_acknowledged_is_there(self) -> None:
        with self.hub.context.store.read() as tx:
            for (round_id, party), payload in self.acknowledged.items():
                chunks = tx.submissions.chunks(round_id, self.parties[party].id)
                assert [chunk.digest for chunk in chunks] == [sha256(payload)]
                assert self.hub.context.blobs.get(chunks[0].digest) == payload

    @invariant()
    def a_result_has_every_consent_and_every_receipt(self) -> None:
        with self.hub.context.store.read() as tx:
            for row in tx.rounds.all():
                found = [tx.results.find(row.id, party.id) for party in self.parties]
                assert all(found) == (row.state is RoundState.RELEASED) and any(found) == all(found)
                if row.state is RoundState.RELEASED:
                    assert len(tx.keys.wraps(row.id)) == len(tx.keys.confirmations(row.id)) == 2
                    assert len(tx.rounds.signatures(row.id)) == len(tx.rounds.preflights(row.id)) == 2
                    assert all(one.receipt for one in tx.submissions.of_round(row.id))
                    assert sum(release.round_id == row.id for release in tx.results.releases()) == 1

    @invariant()
    def the_log_has_no_hole_and_every_step_is_lawful(self) -> None:
        previous, states = GENESIS, dict[str, RoundState]()
        with self.hub.context.store.read() as tx:
            documents = tx.events(PROJECT)
        for sequence, document in enumerate(documents, start=1):
            told = msgspec.json.decode(document)
            assert (told["sequence"], told["previous"]) == (sequence, previous.hex())
            previous = sha256(document)
            before, arrow, after = told["outcome"].partition(" to ")
            if told["action"] in {"round.advance", "round.decline"} and arrow:
                assert RoundState(after) in TRANSITIONS[RoundState(before)]
                assert states.get(told["object"], RoundState.DRAFT) is RoundState(before)
                states[told["object"]] = RoundState(after)

    def attempt(self, act: Callable[[], object]) -> bool:
        """Do something that may be refused, by a typed error and nothing else; say whether it was done."""
        try:
            act()
        except IsthmusError as exc:
            assert exc.code != "internal"
            return False
        return True


Histories.TestCase.settings = settings(
    max_examples=60, stateful_step_count=50, deadline=None, suppress_health_check=list(HealthCheck)
)
test_histories = Histories.TestCase
