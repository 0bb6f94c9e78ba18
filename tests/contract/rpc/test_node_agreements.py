"""`isthmus-node agreement` at real nodes of a real coordinator: proposed, signed, declined, amended, left; and lies."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

import msgspec
import pytest
from click.testing import CliRunner, Result
from isthmus_local.agreement_file import agreement_file
from live import Live, live_coordinator

from isthmus.contract.agreement import agreement_from_bytes, agreement_from_toml
from isthmus.contract.agreement_advice import agreement_advice
from isthmus.contract.agreement_terms import AgreementState
from isthmus.contract.agreement_views import AgreementVersion
from isthmus.contract.canonical import sha256
from isthmus.contract.clock import SystemClock
from isthmus.contract.errors import SignatureInvalid
from isthmus.contract.ids import AgreementId, PartyId
from isthmus.contract.parties import PartyKind, Role
from isthmus.coordinator.actions.enrolment import add_party
from isthmus.node.agreement_client import AgreementClient, connect_agreements
from isthmus.node.agreements import receive
from isthmus.node.cli import main
from isthmus.node.cli_agreement import TEMPLATES, template_text
from isthmus.node.errors import AgreementRefused
from isthmus.node.node import open_node
from isthmus.party.token import token_text

NAMES = ("riverside", "college")
YESTERDAY = date.fromordinal(date.today().toordinal() - 1)  # noqa: DTZ011 - any day near the node's own


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """A coordinator and the nodes of two providers."""

    live: Live

    def folder(self, party: str) -> Path:
        return self.live.parties / party

    def run(self, party: str, *arguments: str) -> Result:
        """Run a command of `agreement` at a node."""
        return CliRunner().invoke(main, ["agreement", *arguments, "--dir", str(self.folder(party))])

    def file(self, name: str, **changes: Any) -> str:
        """Write an agreement file of both; give its path."""
        path = self.live.parties / f"{name}.toml"
        path.write_text(agreement_file(name, providers=NAMES, effective=YESTERDAY, **changes), "utf-8")
        return str(path)

    def agreed(self, name: str) -> None:
        """Bring an agreement of both in force."""
        assert self.run("riverside", "propose", self.file(name)).exit_code == 0
        self.sign(name)

    def sign(self, name: str) -> None:
        """Let both read and sign what is proposed."""
        for party in NAMES:
            assert self.run(party, "show", name).exit_code == 0
            signed = self.run(party, "sign", name)
            assert signed.exit_code == 0, signed.output

    def states(self, name: str) -> list[tuple[int, str]]:
        listed = json.loads(self.run("college", "list", "--json").stdout)
        return [(one["version"], one["state"]) for one in listed if one["agreement"] == name]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with live_coordinator(tmp_path_factory.mktemp("agreements")) as live:
        made = World(live=live)
        for party in NAMES:
            add_party(
                live.installation.context,
                None,
                party=PartyId(party),
                name=party.title(),
                kind=PartyKind.DISTRICT,
                role=Role.PROVIDER,
            )
            made.folder(party).mkdir(parents=True)
            (made.folder(party) / "node.toml").write_text("")
            token = token_text(live.token(party))
            enrolled = CliRunner().invoke(main, ["enrol", "-", "--dir", str(made.folder(party))], input=token)
            assert enrolled.exit_code == 0
        yield made


def test_agreement_is_proposed_read_and_signed_by_both(world: World) -> None:
    proposed = world.run("riverside", "propose", world.file("first"))
    assert "waiting for college" in proposed.output
    assert "a lawyer would ask for" in proposed.output

    shown = world.run("college", "show", "first")
    assert "riverside: Riverside (district), gives data, leads" in shown.stdout
    assert "college (you) has not signed yet" in shown.stdout
    world.sign("first")

    assert world.states("first") == [(1, "in-force")]
    with open_node(world.folder("college"), clock=SystemClock()) as node:
        known = node.vault.agreements.in_force(AgreementId("first"))
    assert known is not None and known.version == 1


def test_nothing_is_signed_that_was_not_shown_here(world: World) -> None:
    world.run("riverside", "propose", world.file("unread"))

    refused = world.run("college", "sign", "unread")

    assert refused.exit_code == 5
    assert "[agreement-not-shown]" in refused.output
    assert world.states("unread") == [(1, "proposed")]


def test_declined_amendment_tells_why_and_leaves_the_version_before(world: World) -> None:
    world.agreed("declined")
    amended = world.run("riverside", "amend", world.file("declined", breach_notice_hours=700))
    assert "hours until a breach is told was: 48; it is now: 700" in amended.output

    declined = world.run("college", "decline", "declined", "--reason", "Our board wants 48 hours.")

    assert declined.exit_code == 0
    assert world.states("declined") == [(1, "in-force"), (2, "declined")]
    listed = json.loads(world.run("riverside", "list", "--json").stdout)
    assert [one["state"] for one in listed if one["agreement"] == "declined"] == ["in-force", "declined"]


def test_amendment_shows_what_changed_before_it_is_signed(world: World) -> None:
    world.agreed("amended")
    world.run("riverside", "amend", world.file("amended", publication_review_days=60))

    shown = world.run("college", "show", "amended")
    assert "version 2; amends version 1" in shown.stdout
    assert "days to review a publication was: 30; it is now: 60" in shown.stdout
    assert json.loads(world.run("college", "show", "amended", "--json").stdout)["changes"] != []
    world.sign("amended")

    assert world.states("amended") == [(1, "superseded"), (2, "in-force")]


def test_withdrawal_is_seen_by_the_others_and_remembered_here(world: World) -> None:
    world.agreed("left")

    left = world.run("college", "withdraw", "left", "--reason", "Our board decided to leave.", "--from", "2026-01-01")

    assert left.exit_code == 0, left.output
    shown = world.run("riverside", "show", "left").stdout
    assert "college left from 2026-01-01 on: Our board decided to leave." in shown
    with open_node(world.folder("college"), clock=SystemClock()) as node:
        known = node.vault.agreements.in_force(AgreementId("left"))
        assert known is not None
        assert node.vault.agreements.withdrawal(known.digest()) is not None


@pytest.mark.parametrize(
    ("command", "said"), [("sign", "no version of it waits"), ("decline", "no version of it waits")]
)
def test_what_is_settled_is_not_signed_or_declined_again(world: World, command: str, said: str) -> None:
    name = f"settled-{command}"
    world.agreed(name)
    options = ["--reason", "No."] if command == "decline" else []

    refused = world.run("college", command, name, *options)

    assert refused.exit_code == 5
    assert said in refused.output


def test_new_and_next_versions_are_told_apart(world: World) -> None:
    too_early = world.run("riverside", "amend", world.file("which"))
    world.agreed("which")
    too_late = world.run("riverside", "propose", world.file("which", title="More"))

    assert "use isthmus-node agreement propose" in too_early.output
    assert "use isthmus-node agreement amend" in too_late.output


class Lying:
    """A coordinator's answers, altered on the way."""

    def __init__(self, *versions: AgreementVersion) -> None:
        self._versions = versions

    def get(self, _agreement: AgreementId) -> tuple[AgreementVersion, ...]:
        return self._versions


def versions_of(world: World, name: str) -> list[AgreementVersion]:
    with (
        open_node(world.folder("college"), clock=SystemClock()) as node,
        connect_agreements(node.identity) as client,
    ):
        return list(client.get(AgreementId(name)))


def receive_lies(world: World, name: str, *versions: AgreementVersion) -> None:
    client: Any = Lying(*versions)
    with open_node(world.folder("college"), clock=SystemClock()) as node:
        receive(node, client, AgreementId(name))


def altered(version: AgreementVersion, /, **changes: Any) -> AgreementVersion:
    """Give the version with other terms, and a summary that fits them."""
    agreement = msgspec.structs.replace(agreement_from_bytes(version.document), **changes)
    summary = replace(version.summary, digest=agreement.digest())
    return replace(version, document=agreement.to_bytes(), summary=summary)


def test_version_that_is_in_force_by_the_coordinators_word_alone_is_refused(world: World) -> None:
    world.run("riverside", "propose", world.file("forced"))
    (version,) = versions_of(world, "forced")
    forced = replace(version, summary=replace(version.summary, state=AgreementState.IN_FORCE))

    with pytest.raises(AgreementRefused, match="without the signature of riverside, college"):
        receive_lies(world, "forced", forced)


def test_signature_on_other_terms_is_refused(world: World) -> None:
    world.agreed("other-terms")
    (version,) = versions_of(world, "other-terms")

    with pytest.raises(SignatureInvalid):
        receive_lies(world, "other-terms", altered(version, purpose="Anything that we like to do."))


def test_history_without_what_was_in_force_is_refused(world: World) -> None:
    world.agreed("rewritten")
    (version,) = versions_of(world, "rewritten")
    fresh = replace(altered(version, title="As if new"), decisions=())
    proposed = replace(fresh, summary=replace(fresh.summary, state=AgreementState.PROPOSED))

    with pytest.raises(AgreementRefused, match="knows to be in force"):
        receive_lies(world, "rewritten", proposed)
    with pytest.raises(AgreementRefused, match="knows to be in force"):
        receive_lies(world, "rewritten", version, proposed)


def test_another_agreement_another_key_and_a_broken_chain_are_refused(world: World) -> None:
    world.run("riverside", "propose", world.file("broken"))
    (version,) = versions_of(world, "broken")
    agreement = agreement_from_bytes(version.document)
    parties = tuple(
        msgspec.structs.replace(one, identity_key=sha256(one.party.encode()).hex()) for one in agreement.parties
    )

    for lie, said in [
        (altered(version, id="other"), "another agreement"),
        (altered(version, parties=parties), "pins another key"),
        (altered(version, version=2, previous="ab" * 32), "do not follow"),
    ]:
        with pytest.raises(AgreementRefused, match=said):
            receive_lies(world, "broken", lie)


def test_terms_that_the_coordinator_changed_are_not_taken_for_the_files(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = Path(world.file("changed"))
    text, honest = path.read_text("utf-8"), AgreementClient.propose
    monkeypatch.setattr(AgreementClient, "propose", lambda self, sent: honest(self, sent.replace("= 48", "= 720")))

    refused = world.run("riverside", "propose", str(path))

    assert "breach_notice_hours = 48" in text
    assert refused.exit_code == 5
    assert "other terms than the file" in refused.output


@pytest.mark.parametrize("template", TEMPLATES)
def test_template_is_lawful_and_lacks_nothing_but_the_signed_paper(template: str) -> None:
    printed = CliRunner().invoke(main, ["agreement", "new", "--template", template]).stdout

    advice = agreement_advice(agreement_from_toml(printed))

    assert printed == template_text(template)
    assert [one.missing for one in advice] == ["no signed paper is bound to it"]


def test_check_says_what_is_wrong_and_what_is_missing_and_calls_nobody(tmp_path: Path) -> None:
    path = tmp_path / "agreement.toml"
    path.write_text(template_text("one-off-evaluation").replace("destroy_by = 2027-04-30\n", ""), "utf-8")
    wrong = CliRunner().invoke(main, ["agreement", "check", str(path)])
    path.write_text(template_text("one-off-evaluation"), "utf-8")
    right = CliRunner().invoke(main, ["agreement", "check", str(path)])

    assert wrong.exit_code == 4
    assert "under studies it needs retention.destroy_by" in wrong.output
    assert right.exit_code == 0
    assert "a lawyer would ask for" in right.stdout
