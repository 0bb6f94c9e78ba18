"""A coordinator that lies to a node: what it sends is checked before anything is signed, kept or shown."""

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from unit.node.parts import RIVERSIDE, ROUND, manifest, project

from isthmus.contract.canonical import Label, sha256, sign
from isthmus.contract.clock import FixedClock
from isthmus.contract.convert import error_from_wire
from isthmus.contract.encodings import RECEIPT_FORMAT, SUBMISSION_FORMAT, Receipt, Submission, submission_from_bytes
from isthmus.contract.errors import IsthmusError, MalformedDocument, MalformedMessage
from isthmus.contract.manifest import RoundManifest
from isthmus.contract.project import RevealMode
from isthmus.node.client import Client
from isthmus.node.config import NodeConfig
from isthmus.node.errors import AlreadyRunning, NeedsConsent, ReceiptInvalid, RefusedByPolicy
from isthmus.node.keys.folder import KeyFolder
from isthmus.node.node import Node, only_one_run
from isthmus.node.signing import require_shown
from isthmus.node.take_part import _check_receipt, fetch_ids, take_step
from isthmus.node.vault import open_vault
from isthmus.party.identity import PLAIN, Identity
from isthmus.v1 import common_pb2, error_pb2
from isthmus.v1 import provider_pb2 as pb

COORDINATOR_KEY = Ed25519PrivateKey.from_private_bytes(sha256(b"coordinator"))
MANIFEST = manifest()
DATA = MANIFEST.to_bytes()
HANDLES = [bytes([number]) * 16 for number in range(3)]
GOOD = ["a" * 26, "b" * 26, "c" * 26]


class HostileStub:
    """The other end of a connection, in whose answers the tests put what they like."""

    def __init__(
        self,
        *,
        manifest: bytes = DATA,
        round_id: str = ROUND,
        rows: list[pb.PseudonymRow] | None = None,
        state: common_pb2.RoundState.ValueType = common_pb2.ROUND_STATE_PROPOSED,
    ) -> None:
        self.manifest, self.round_id, self.rows, self.state = manifest, round_id, rows or [], state

    def GetRound(self, _request: object, **_options: object) -> pb.GetRoundResponse:  # noqa: N802 - as generated
        summary = common_pb2.RoundSummary(
            round_id=self.round_id,
            project_id=MANIFEST.project.id,
            state=self.state,
            manifest_hash=sha256(DATA),
        )
        return pb.GetRoundResponse(round=summary, manifest=self.manifest)

    def FetchPseudonyms(  # noqa: N802 - as generated
        self, _request: object, **_options: object
    ) -> Iterator[pb.FetchPseudonymsResponse]:
        yield pb.FetchPseudonymsResponse(rows=self.rows, slot_count=1000)


def client(**answers: Any) -> Client:
    return Client(cast("Any", HostileStub(**answers)), "hub.example.org:7443")


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Node]:
    identity = Identity(
        party=RIVERSIDE,
        service_address="hub.example.org:7443",
        coordinator_key=COORDINATOR_KEY.public_key().public_bytes_raw(),
        signing_key=Ed25519PrivateKey.from_private_bytes(sha256(b"riverside")),
        tls_key=b"",
        certificate=b"",
        root=b"",
    )
    with closing(open_vault(tmp_path / "vault.sqlite")) as vault:
        yield Node(
            folder=tmp_path,
            config=NodeConfig(),
            identity=identity,
            vault=vault,
            keys=KeyFolder(folder=tmp_path / "keys", files=PLAIN),
            random_bytes=bytes,
            clock=FixedClock(datetime(2026, 1, 15, 12, tzinfo=UTC)),
        )


def submitted(node: Node, *, receipt: bool = True) -> bytes:
    """Let the node have a submission of three rows."""
    declared = Submission(
        format=SUBMISSION_FORMAT, round_id=ROUND, party=RIVERSIDE, rows=3, clk_bits=1024, tables=1, match_keys=0,
        blocks=0, chunk_count=1, digest="0" * 64, key_check="0" * 32, profile_digest="0" * 64,
        manifest_hash="0" * 64,
    )  # fmt: skip
    rows = list(zip(HANDLES, ("rec-1", "rec-2", "rec-3"), strict=True))
    node.vault.save_prepared(ROUND, document=declared.to_bytes(), report="{}", rows=rows)
    if receipt:
        node.vault.save_receipt(ROUND, receipt=b"{}", signature=b"")
    return declared.to_bytes()


def pseudonym_rows(names: list[str], *, slot: int | None = None) -> list[pb.PseudonymRow]:
    return [pb.PseudonymRow(handle=h, pseudonym=n, slot=slot) for h, n in zip(HANDLES, names, strict=False)]


def test_a_round_other_than_the_one_asked_for_is_refused() -> None:
    with pytest.raises(MalformedMessage, match="not the round that was asked for"):
        client(round_id="evil-0000000000").get_round(ROUND)


def test_a_manifest_that_does_not_fit_its_hash_is_refused() -> None:
    with pytest.raises(MalformedMessage, match="not the round that was asked for"):
        client(manifest=DATA.replace(b"linked", b"spine!")).get_round(ROUND)


def test_an_id_for_a_row_that_was_struck_out_is_refused(node: Node) -> None:
    submitted(node)
    node.vault.save_tombstones(ROUND, HANDLES[:1], acknowledged=True)
    with pytest.raises(RefusedByPolicy, match="struck out"):
        fetch_ids(node, client(rows=pseudonym_rows(GOOD)), MANIFEST)
    assert list(node.vault.linked_records(ROUND)) == []


@pytest.mark.parametrize(("acknowledged", "sent"), [(True, HANDLES[1:]), (False, HANDLES[1:]), (False, HANDLES)])
def test_a_spine_is_whole_without_the_rows_that_were_struck_out(
    node: Node, acknowledged: bool, sent: list[bytes]
) -> None:
    """An answer that was lost leaves open whether the coordinator struck out; both are well then."""
    submitted(node)
    node.vault.save_tombstones(ROUND, HANDLES[:1], acknowledged=acknowledged)
    rows = [pb.PseudonymRow(handle=h, pseudonym=n, slot=s) for s, (h, n) in enumerate(zip(sent, GOOD, strict=False))]
    fetch_ids(node, client(rows=rows), manifest(project(reveal=RevealMode.SPINE)))
    assert len(list(node.vault.linked_records(ROUND))) == len(sent)


def test_a_spine_that_lacks_a_row_which_nobody_struck_out_is_refused(node: Node) -> None:
    submitted(node)
    node.vault.save_tombstones(ROUND, HANDLES[:1], acknowledged=True)
    rows = [pb.PseudonymRow(handle=HANDLES[1], pseudonym=GOOD[1], slot=1)]
    with pytest.raises(RefusedByPolicy, match="another number"):
        fetch_ids(node, client(rows=rows), manifest(project(reveal=RevealMode.SPINE)))


def test_nobody_signs_terms_that_were_not_shown_or_changed_since(node: Node) -> None:
    with pytest.raises(NeedsConsent):
        require_shown(node, ROUND, DATA)
    node.vault.save_shown(ROUND, DATA)
    require_shown(node, ROUND, DATA)
    with pytest.raises(RefusedByPolicy, match="changed after they were shown"):
        require_shown(node, ROUND, DATA + b" ")


@pytest.mark.parametrize(
    "name", ['=HYPERLINK("http://evil")', "a" * 25, "A" * 26, "a" * 25 + "\n", "", "\x1b[2J" + "a" * 22]
)
def test_an_id_of_another_form_is_refused_and_no_file_is_written(node: Node, name: str) -> None:
    submitted(node)
    with pytest.raises(MalformedMessage):
        fetch_ids(node, client(rows=pseudonym_rows([name])), MANIFEST)
    assert not node.ids.exists()


HOSTILE_MAPS = {
    "an ID twice": pseudonym_rows([GOOD[0], GOOD[0]]),
    "a row twice": [*pseudonym_rows(GOOD[:1]), pb.PseudonymRow(handle=HANDLES[0], pseudonym=GOOD[1])],
    "more rows than sent": [*pseudonym_rows(GOOD), pb.PseudonymRow(handle=b"x" * 16, pseudonym="d" * 26)],
    "a foreign row": [pb.PseudonymRow(handle=b"x" * 16, pseudonym=GOOD[0])],
    "slots in mode linked": pseudonym_rows(GOOD, slot=5),
}


@pytest.mark.parametrize("rows", HOSTILE_MAPS.values(), ids=HOSTILE_MAPS.keys())
def test_a_map_that_cannot_be_is_refused_whole(node: Node, rows: list[pb.PseudonymRow]) -> None:
    submitted(node)
    assert MANIFEST.project.reveal is RevealMode.LINKED
    with pytest.raises(RefusedByPolicy):
        fetch_ids(node, client(rows=rows), MANIFEST)
    assert list(node.vault.linked_records(ROUND)) == []
    assert not node.ids.exists()


def repeating(reveal: RevealMode) -> RoundManifest:
    """A round whose project says that this node's data set repeats people."""
    agreed = project(reveal=reveal)
    providers = tuple(msgspec.structs.replace(terms, repeats=terms.party == RIVERSIDE) for terms in agreed.providers)
    return manifest(msgspec.structs.replace(agreed, providers=providers))


@pytest.mark.parametrize(("reveal", "slot"), [(RevealMode.LINKED, None), (RevealMode.SPINE, 7)])
def test_rows_of_one_person_share_an_id_where_the_project_says_that_they_may(
    node: Node, reveal: RevealMode, slot: int | None
) -> None:
    submitted(node)
    fetch_ids(node, client(rows=pseudonym_rows([GOOD[0]] * 3, slot=slot)), repeating(reveal))
    linked = list(node.vault.linked_records(ROUND))
    assert [(one.record_id, one.pseudonym, one.slot) for one in linked] == [
        (record, GOOD[0], slot) for record in ("rec-1", "rec-2", "rec-3")
    ]


@pytest.mark.parametrize(
    ("names", "slots"), [([0, 0, 1], [0, 1, 2]), ([0, 1, 2], [0, 0, 1])], ids=["an ID in two slots", "a slot of two"]
)
def test_a_spine_whose_ids_and_slots_contradict_each_other_is_refused(
    node: Node, names: list[int], slots: list[int]
) -> None:
    submitted(node)
    rows = [
        pb.PseudonymRow(handle=handle, pseudonym=GOOD[name], slot=slot)
        for handle, name, slot in zip(HANDLES, names, slots, strict=True)
    ]
    with pytest.raises(RefusedByPolicy, match="two slots"):
        fetch_ids(node, client(rows=rows), repeating(RevealMode.SPINE))
    assert not node.ids.exists()


def test_ids_of_a_round_without_receipt_are_not_fetched(node: Node) -> None:
    submitted(node, receipt=False)
    with pytest.raises(RefusedByPolicy, match="no receipt"):
        fetch_ids(node, client(rows=pseudonym_rows(GOOD)), MANIFEST)


def test_a_lawful_map_is_written(node: Node) -> None:
    submitted(node)
    path = fetch_ids(node, client(rows=pseudonym_rows(GOOD[:2])), MANIFEST)
    assert path.read_text() == f"rec_id,pseudonym\nrec-1,{GOOD[0]}\nrec-2,{GOOD[1]}\n"


@pytest.mark.parametrize("receipt", [b"not json", b"[1]", b"null", b"[" * 5000 + b"]" * 5000, b"{}"])
def test_a_signed_receipt_that_is_none_is_a_typed_error(node: Node, receipt: bytes) -> None:
    document = submitted(node, receipt=False)
    declared = submission_from_bytes(document)
    signature = sign(COORDINATOR_KEY, Label.RECEIPT, receipt)
    with pytest.raises(MalformedDocument):
        _check_receipt(node, document, declared, receipt, signature)


def test_a_signed_receipt_for_something_else_is_refused(node: Node) -> None:
    document = submitted(node, receipt=False)
    declared = submission_from_bytes(document)
    receipt = Receipt(
        format=RECEIPT_FORMAT, round_id=ROUND, party=RIVERSIDE, rows=2, submission=sha256(document).hex(),
        received_at="2026-01-15T12:00:00Z",
    ).to_bytes()  # fmt: skip
    with pytest.raises(ReceiptInvalid):
        _check_receipt(node, document, declared, receipt, sign(COORDINATOR_KEY, Label.RECEIPT, receipt))


def test_an_error_from_afar_can_do_nothing_but_be_read() -> None:
    fields = {"kind": "round\x1b]0;owned\x07\x1b[2J", "id": "x\nisthmus: all is well " + "y" * 10_000}
    told = str(error_from_wire(error_pb2.ErrorDetail(code="not-found", fields=fields).SerializeToString()))
    assert told.isprintable()
    assert len(told) < 5000
    unknown = error_from_wire(error_pb2.ErrorDetail(code="\x1b[31m", fields={}).SerializeToString())
    assert isinstance(unknown, IsthmusError)
    assert str(unknown).isprintable()


def test_one_folder_is_run_by_one_process_at_a_time(tmp_path: Path) -> None:
    with only_one_run(tmp_path), pytest.raises(AlreadyRunning), only_one_run(tmp_path):
        pass
    with only_one_run(tmp_path):
        assert (tmp_path / ".run.lock").exists()


def test_ids_are_not_fetched_under_terms_that_this_node_did_not_sign(node: Node) -> None:
    submitted(node)
    with pytest.raises(RefusedByPolicy, match="not the one that this node signed"):
        take_step(
            node,
            client(state=common_pb2.ROUND_STATE_RELEASED, rows=pseudonym_rows(GOOD)),
            ROUND,
            report=lambda *_: None,
        )
    node.vault.save_signed(ROUND, DATA)
    step = take_step(
        node, client(state=common_pb2.ROUND_STATE_RELEASED, rows=pseudonym_rows(GOOD)), ROUND, report=lambda *_: None
    )
    assert step.id_file is not None
