"""Taking part in a round, one step at a time: each step looks at where the round stands and does what is this node's.

Every step may be repeated after any interruption: signing, confirming and sending again change nothing.
docs/protocol.md section 10.
"""

import csv
import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, Final

from isthmus.contract.canonical import Label, read_canonical, sha256, sign, verify
from isthmus.contract.encodings import RECEIPT_FORMAT, Receipt, Submission, submission_from_bytes
from isthmus.contract.errors import SubmissionMalformed
from isthmus.contract.ids import ProjectId, RoundId
from isthmus.contract.manifest import RoundManifest
from isthmus.contract.project import RevealMode
from isthmus.contract.round_state import RoundState
from isthmus.contract.secret import Secret
from isthmus.contract.views import RoundView
from isthmus.node.agree import agree, conclude
from isthmus.node.answering import answer_comparisons
from isthmus.node.audit.limit import check_audit_limit
from isthmus.node.chosen_rows import chosen_rows
from isthmus.node.client import Client, FetchedRow
from isthmus.node.consent.read import Consenting, open_consenting, read_exclusions
from isthmus.node.errors import (
    ConsentChanging,
    NeedsConsent,
    OutboxDamaged,
    ReceiptInvalid,
    RefusedByPolicy,
    RoundEnded,
    SettingsChanged,
)
from isthmus.node.keys.agreement import new_secret
from isthmus.node.keys.linkage_key import key_check_value
from isthmus.node.known_answers import known_answers
from isthmus.node.known_comparisons import differing_answers
from isthmus.node.lasting import lasting_handle_key
from isthmus.node.left_out import handles_left_out
from isthmus.node.node import Node, with_present_settings
from isthmus.node.outbox import payload_path
from isthmus.node.policy import check_signatures, read_manifest
from isthmus.node.prepare import Job, prepare_submission, preview_submission
from isthmus.node.round_encoding import RoundEncoding
from isthmus.node.show_comparison import quality_hint
from isthmus.node.signing import check_terms, sign_manifest
from isthmus.node.vault import Mark
from isthmus.party.identity import write_private

Report = Callable[[str, int, int], None]
"""(stage, done, total): told how far a long step is."""

SALT_BYTES: Final = 16
PREPARED_ANEW: Final = 3
"""How often rows are encoded where people are left out meanwhile, before the node gives up for now."""

_REFUSED: Final = (
    "the coordinator refused the rows of this node, and would refuse the same ones again; ask the lead to cancel the"
    " round, mend the data set (isthmus-node profile --dataset NAME shows repeated rows), and take part in the next"
)
_COMPARES_OTHERWISE: Final = (
    "this installation does not give the known answers of field comparison ({parts}), so others could not be compared"
    " with its rows; nothing of them was sent. Install isthmus-node anew, and start it again"
)
_LEFT_SINCE: Final = (
    "people opted out after its rows were announced and before the first was sent, so nothing was sent; ask the lead to"
    " cancel the round and propose another"
)

WITHOUT_RESULT: Final = frozenset(
    {RoundState.CANCELLED, RoundState.EXPIRED, RoundState.REJECTED, RoundState.CLOSED, RoundState.DESTROYED}
)

_ACTING: Final = frozenset({RoundState.LOCKED, RoundState.PREFLIGHT, RoundState.COLLECTING, RoundState.COMPARING})
"""States in which a node that signed does something with the round's key."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What a step came to: the round as it stands after it, the ID file once there is one, and what else is there."""

    view: RoundView
    id_file: Path | None = None
    quality_hint: str = ""


def take_step(
    node: Node, client: Client, round_id: RoundId, *, report: Report, project: ProjectId | None = None
) -> Step:
    """Do what the round needs of this node now, if anything; `project` is the one whose log was looked at first.

    Raises:
        NeedsConsent: the round is proposed and nobody here has agreed to it yet.
        MembersUnverified: the round is locked and fingerprints have to be compared here first.
        RefusedByPolicy, SignatureInvalid: this node will not take part; nothing was sent.
        RoundEnded: the round is over without a result.
    """
    view, data, signatures = client.get_round(round_id)
    manifest = read_manifest(data, round_id)
    if project not in {None, manifest.project.id}:
        raise RefusedByPolicy(round_id=round_id, problem="the coordinator listed it under another project than its own")
    if view.state in WITHOUT_RESULT:
        node.forget_round(round_id)
        raise RoundEnded(round_id=round_id, state=view.state.value)
    if view.state is RoundState.PROPOSED:
        return Step(view=_sign_if_agreed(node, client, view, manifest, data))
    if view.state in _ACTING:
        _check_agreed(node, manifest, data)
        check_signatures(manifest, data, signatures)
        return Step(view=_act(node, client, manifest, view, report=report))
    if view.state is RoundState.RELEASED:
        _check_signed(node, manifest, data)
        id_file = fetch_ids(node, client, manifest)
        node.forget_keys(round_id)
        # Killed between its last answer and here, it would leave what answers are made of.
        node.empty_outbox(round_id)
        return Step(view=view, id_file=id_file, quality_hint=quality_hint(manifest))
    return Step(view=view)


def _act(node: Node, client: Client, manifest: RoundManifest, view: RoundView, *, report: Report) -> RoundView:
    """Do what takes the round's key, in a round whose terms this node checked."""
    if view.state is RoundState.LOCKED:
        return agree(node, client, manifest, view)
    conclude(node, client, manifest)
    if view.state is RoundState.PREFLIGHT:
        return _preflight(node, client, manifest, view, report=report)
    if view.state is RoundState.COMPARING:
        return answer(node, client, manifest, report=report)
    return submit(node, client, manifest, report=report) or view


def _preflight(node: Node, client: Client, manifest: RoundManifest, view: RoundView, *, report: Report) -> RoundView:
    if all(waiting.party != node.identity.party for waiting in view.waiting_for):
        return view
    check_audit_limit(node, manifest, report=report)
    # Before the call: were its reply lost, or this node killed, nobody would ask for the answers again.
    node.vault.mark(manifest.round_id, Mark.CONFIRMED)
    return confirm(node, client, manifest)


def confirm(node: Node, client: Client, manifest: RoundManifest) -> RoundView:
    """Show under which key and profile this node will encode, and what it makes of the made-up values.

    Raises:
        RefusedByPolicy: fields will be compared, and this node would answer otherwise than it should.
    """
    if manifest.project.comparison is not None and (parts := differing_answers()):
        raise RefusedByPolicy(round_id=manifest.round_id, problem=_COMPARES_OTHERWISE.format(parts=", ".join(parts)))
    encoding = round_encoding(node, manifest, key=node.round_master(manifest.round_id))
    key_check = key_check_value(encoding.key, project=manifest.project.id, round_id=manifest.round_id)
    return client.confirm_preflight(
        manifest.round_id,
        key_check=key_check,
        profile_digest=bytes.fromhex(encoding.profile.digest()),
        answers=known_answers(encoding),
    )


def round_encoding(node: Node, manifest: RoundManifest, *, key: Secret) -> RoundEncoding:
    """Give what this node encodes under in a round, with its master or, for a look, with another key."""
    return RoundEncoding(
        manifest=manifest,
        profile=manifest.read_profile(),
        key=key,
        encoder=node.config.encoder,
    )


def submit(node: Node, client: Client, manifest: RoundManifest, *, report: Report) -> RoundView | None:
    """Prepare this node's submission, or take the prepared one, and send what the coordinator lacks of it.

    One that the coordinator never heard of is prepared anew: people may have opted out since. One that it heard of is
    sent to its end, and whoever is left out by then struck out of it (`isthmus.node.strike_out`).

    Raises:
        RefusedByPolicy: the coordinator collects although this node never passed the preflight; it refused these rows
            before; or people opted out between the declaration and the first row. Nothing was sent then.
        SubmissionMalformed: the coordinator refuses the rows.
        SettingsChanged, ConsentChanging: what says who is left out changed meanwhile; nothing was sent.
    """
    round_id = manifest.round_id
    if not node.vault.marked(round_id, Mark.CONFIRMED):
        raise RefusedByPolicy(round_id=round_id, problem="it collects before this node has passed its preflight")
    prepared = node.vault.prepared(round_id)
    if prepared is not None and prepared.receipt is not None:
        return None
    if node.vault.marked(round_id, Mark.REFUSED):
        raise RefusedByPolicy(round_id=round_id, problem=_REFUSED)
    if prepared is not None and not node.vault.marked(round_id, Mark.OPENED):
        node.forget_submission(round_id)
        prepared = None
    document = prepared.document if prepared else _prepare_as_of_now(node, manifest, report)
    submission = submission_from_bytes(document)
    signature = sign(node.identity.signing_key, Label.SUBMISSION, document)
    node.vault.mark(round_id, Mark.OPENED)
    resume = client.open_submission(round_id, document=document, signature=signature)
    if not resume.complete:
        _check_all_still_take_part(node, round_id)
        _upload(node, client, submission, first=resume.next_chunk, report=report)
    receipt, receipt_signature = _complete(node, client, round_id)
    _check_receipt(node, document, submission, receipt, receipt_signature)
    node.vault.save_receipt(round_id, receipt=receipt, signature=receipt_signature)
    payload_path(node.outbox, submission).unlink(missing_ok=True)
    return client.get_round(round_id)[0]


def answer(node: Node, client: Client, manifest: RoundManifest, *, report: Report) -> RoundView:
    """Answer for the fields of the pairs that the coordinator asks about; raises as `answer_comparisons`."""
    encoding = round_encoding(node, manifest, key=node.round_master(manifest.round_id))
    kept = encoding.kept(node.identity.party, salt=node.vault.field_salt(manifest.round_id))
    if kept is None:
        raise RefusedByPolicy(
            round_id=manifest.round_id, problem="it compares fields, which its project does not grant"
        )
    return answer_comparisons(node, client, manifest, kept, report=report)


def _check_all_still_take_part(node: Node, round_id: RoundId) -> None:
    """Refuse to send the first row of a submission that somebody opted out of since it was declared.

    Preparing it anew would be no way out: the coordinator holds the declaration, and takes no other for this round.
    """
    if node.vault.marked(round_id, Mark.SENDING):
        return
    if handles_left_out(node, round_id):
        raise RefusedByPolicy(round_id=round_id, problem=_LEFT_SINCE)
    node.vault.mark(round_id, Mark.SENDING)


def _complete(node: Node, client: Client, round_id: RoundId) -> tuple[bytes, bytes]:
    try:
        return client.complete_submission(round_id)
    except SubmissionMalformed:
        node.vault.mark(round_id, Mark.REFUSED)
        raise


def preview_round(node: Node, manifest: RoundManifest, *, report: Report) -> dict[str, Any]:
    """Read and encode what the round asks of this node and report what would leave; nothing is kept or sent.

    Under a key of its own: the round's does not exist before all have signed and agreed on it.
    """
    job = _job(node, manifest, key=new_secret(node.random_bytes))
    consenting = _open_dataset(node, job)
    return preview_submission(consenting.stream, job, folder=node.folder, notes=consenting.notes, progress=report)


def fetch_ids(node: Node, client: Client, manifest: RoundManifest) -> Path:
    """Fetch this node's pseudonyms and write its ID file: the provider's own row id, the pseudonym, the slot if any.

    Raises:
        RefusedByPolicy: this node never completed a submission to the round, or what came is not about its rows.
    """
    round_id = manifest.round_id
    path = node.ids / f"{round_id}.csv"
    if path.exists():
        return path
    prepared = node.vault.prepared(round_id)
    if prepared is None or prepared.receipt is None:
        raise RefusedByPolicy(round_id=round_id, problem="it is released, but this node has no receipt for it")
    rows = submission_from_bytes(prepared.document).rows
    fetched = list(islice(client.fetch_pseudonyms(round_id), rows + 1))
    problem = _fetched_problem(
        fetched,
        rows=rows - len(node.vault.planted_rows(round_id)),
        tombstones=node.vault.tombstones(round_id),
        spine=manifest.project.reveal is RevealMode.SPINE,
        repeats=manifest.repeats(node.identity.party),
    )
    if problem is not None:
        raise RefusedByPolicy(round_id=round_id, problem=problem)
    pairs = [(row.handle, row.pseudonym, row.slot) for row in fetched]
    node.vault.save_pseudonyms(round_id, pairs)
    node.ids.mkdir(mode=0o700, exist_ok=True)
    write_private(path, _id_file(node, round_id, with_slots=any(row.slot is not None for row in fetched)))
    return path


def _fetched_problem(
    fetched: Sequence[FetchedRow],
    *,
    rows: int,
    tombstones: Mapping[bytes, bool],
    spine: bool,
    repeats: bool,
) -> str | None:
    """Say what is wrong with the IDs, if anything is; `rows` are those of records: planted people get none."""
    people = {row.pseudonym for row in fetched}
    # Rows of one person share an ID, where the project says that there may be such rows.
    if len({row.handle for row in fetched}) != len(fetched) or (len(people) != len(fetched) and not repeats):
        return "the coordinator sent a row or an ID twice"
    if any(tombstones.get(row.handle) for row in fetched):
        return "the coordinator sent an ID for a row that it said was struck out"
    if len(fetched) > rows or (spine and len(fetched) < rows - len(tombstones)):
        return "the coordinator sent another number of IDs than this node has rows"
    if any((row.slot is not None) != spine for row in fetched):
        return "the coordinator's slots do not fit the reveal mode that was agreed"
    slots = {row.slot for row in fetched} if spine else people
    if not len({(row.pseudonym, row.slot) for row in fetched}) == len(people) == len(slots):
        return "the coordinator sent an ID with two slots, or a slot with two IDs"
    return None


def _sign_if_agreed(node: Node, client: Client, view: RoundView, manifest: RoundManifest, data: bytes) -> RoundView:
    if all(waiting.party != node.identity.party for waiting in view.waiting_for):
        return view
    if node.vault.signed_manifest(view.round_id) != data:
        check_terms(node, manifest, fresh=True)
        if manifest.project.digest().hex() not in node.config.policy.sign_automatically:
            raise NeedsConsent(round_id=view.round_id)
    return sign_manifest(node, client, manifest, data)


def _check_agreed(node: Node, manifest: RoundManifest, data: bytes) -> None:
    """Return only if this node signed these very bytes and may still take part as it is set up now."""
    _check_signed(node, manifest, data)
    check_terms(node, manifest, fresh=False)


def _check_signed(node: Node, manifest: RoundManifest, data: bytes) -> None:
    """Return only if this node signed these very bytes; the coordinator's word for it is not enough."""
    if node.vault.signed_manifest(manifest.round_id) != data:
        raise RefusedByPolicy(round_id=manifest.round_id, problem="its manifest is not the one that this node signed")


def _prepare_as_of_now(node: Node, manifest: RoundManifest, report: Report) -> bytes:
    """Prepare a submission in which nobody is who is left out by the time that it is ready; give its declaration.

    Encoding may take hours, so all that says who is left out is read once more after it.
    """
    for _ in range(PREPARED_ANEW):
        document = _prepare(node, manifest, report)
        if with_present_settings(node) is not node:
            raise SettingsChanged(problem=f"the rows of round {manifest.round_id} are prepared anew")
        if not handles_left_out(node, manifest.round_id):
            return document
        node.forget_submission(manifest.round_id)
    raise ConsentChanging(round_id=manifest.round_id, times=PREPARED_ANEW)


def _prepare(node: Node, manifest: RoundManifest, report: Report) -> bytes:
    key, salt = node.round_master(manifest.round_id), node.random_bytes(SALT_BYTES)
    node.vault.save_field_salt(manifest.round_id, salt)
    job = _job(node, manifest, key=key, salt=salt, handle_key=lasting_handle_key(node, manifest.project))
    consenting = _open_dataset(node, job)
    submission = prepare_submission(
        consenting.stream,
        job,
        notes=consenting.notes,
        party=node.identity.party,
        outbox=node.outbox,
        vault=node.vault,
        random_bytes=node.random_bytes,
        progress=report,
    )
    return submission.to_bytes()


def _job(
    node: Node, manifest: RoundManifest, *, key: Secret, salt: bytes = b"", handle_key: Secret | None = None
) -> Job:
    terms = manifest.terms(node.identity.party)
    if terms is None:
        raise RefusedByPolicy(round_id=manifest.round_id, problem="it asks nothing of this party")
    encoding = round_encoding(node, manifest, key=key)
    return Job(
        dataset=chosen_rows(node.config.datasets[terms.dataset], terms),
        encoding=encoding,
        kept=encoding.kept(terms.party, salt=salt),
        planted=encoding.planted(terms.party),
        handle_key=handle_key,
    )


def _open_dataset(node: Node, job: Job) -> Consenting:
    """Open the fields of the data set that the round uses, of those who take part, and no other column."""
    exclusions = read_exclusions(node.folder, project=job.encoding.manifest.project.id, now=node.clock.now())
    return open_consenting(node.folder, job.dataset, job.fields, exclusions=exclusions)


def _upload(node: Node, client: Client, submission: Submission, *, first: int, report: Report) -> None:
    payload = payload_path(node.outbox, submission)
    if not payload.exists():
        raise OutboxDamaged(round_id=submission.round_id)
    total = submission.chunk_count
    report("sending", first, total)
    client.upload(submission, payload, first=first, acknowledged=lambda index: report("sending", index + 1, total))


def _check_receipt(node: Node, document: bytes, submission: Submission, receipt: bytes, signature: bytes) -> None:
    verify(node.identity.coordinator_key, Label.RECEIPT, receipt, signature)
    said = read_canonical(receipt, Receipt, document="receipt")
    told = (said.format, said.round_id, said.party, said.rows, said.submission)
    if told != (RECEIPT_FORMAT, submission.round_id, submission.party, submission.rows, sha256(document).hex()):
        raise ReceiptInvalid(round_id=submission.round_id)


def _id_file(node: Node, round_id: RoundId, *, with_slots: bool) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["rec_id", "pseudonym", *(["slot"] if with_slots else [])])
    for record in node.vault.linked_records(round_id):
        writer.writerow([record.record_id, record.pseudonym, *([record.slot] if with_slots else [])])
    return text.getvalue().encode("utf-8")
