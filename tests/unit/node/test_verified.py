"""Whose fingerprints were compared: all digits, these very keys, and loud when they change."""

from datetime import UTC, datetime
from pathlib import Path
from stat import S_IMODE

import msgspec
import pytest
from unit.node.parts import COLLEGE, PROJECT, RIVERSIDE, ROUND, manifest, member_of, project

from isthmus.contract.errors import MalformedDocument
from isthmus.contract.ids import PartyId
from isthmus.contract.key_agreement import KeyMember
from isthmus.contract.manifest import RoundManifest
from isthmus.contract.round_state import RoundState
from isthmus.contract.views import RoundView, Waiting
from isthmus.node.errors import (
    FingerprintDiffers,
    MembersUnverified,
    MemberUnknown,
    OwnFingerprint,
    RefusedByPolicy,
    VerifiedOtherKeys,
)
from isthmus.node.keys.fingerprint import fingerprint_text
from isthmus.node.verified import (
    check_not_own,
    check_same_keys,
    check_verified,
    load_verified,
    name_unverified,
    other_member,
    save_verified,
    unverified_members,
)

MANIFEST = manifest()
KEYS = member_of(COLLEGE).keys()
OTHER_KEYS = member_of(COLLEGE, agreement_key="ab" * 32).keys()
NOW = "2026-01-15T12:00:00Z"


def _verify(folder: Path, member: KeyMember = KEYS, *, replace: bool = False) -> None:
    save_verified(folder, member, digits=fingerprint_text(member), now=NOW, replace=replace)


def _trusting() -> RoundManifest:
    return manifest(project(require_verified=False))


def test_verified_party_is_remembered_for_its_owner_alone(tmp_path: Path) -> None:
    assert load_verified(tmp_path) == {}

    _verify(tmp_path)
    _verify(tmp_path)
    _verify(tmp_path, member_of(RIVERSIDE).keys())

    assert load_verified(tmp_path) == {COLLEGE: KEYS, RIVERSIDE: member_of(RIVERSIDE).keys()}
    assert S_IMODE((tmp_path / "verified.json").stat().st_mode) == 0o600


@pytest.mark.parametrize("change", [lambda d: d[:-1], lambda d: "", lambda d: d[:-1] + str((int(d[-1]) + 1) % 10)])
def test_digits_that_are_not_all_the_partys_verify_nothing(tmp_path: Path, change: object) -> None:
    assert callable(change)
    with pytest.raises(FingerprintDiffers, match="read all 60 digits again with college"):
        save_verified(tmp_path, KEYS, digits=change(fingerprint_text(KEYS)), now=NOW)

    assert load_verified(tmp_path) == {}


def test_node_does_not_verify_itself() -> None:
    with pytest.raises(OwnFingerprint, match="verify here those that they read to you: college"):
        other_member(MANIFEST, RIVERSIDE, own=RIVERSIDE)


def test_own_digits_are_not_taken_for_those_of_another() -> None:
    own = member_of(RIVERSIDE).keys()

    with pytest.raises(OwnFingerprint, match="this node itself, and nothing was recorded"):
        check_not_own(fingerprint_text(own), MANIFEST, own=RIVERSIDE)
    check_not_own(fingerprint_text(KEYS), MANIFEST, own=RIVERSIDE)


def test_party_that_is_no_member_is_refused_with_the_members_that_are() -> None:
    with pytest.raises(MemberUnknown, match="no provider nobody; the others in it: college"):
        other_member(MANIFEST, PartyId("nobody"), own=RIVERSIDE)

    assert other_member(MANIFEST, COLLEGE, own=RIVERSIDE) == KEYS


def test_other_keys_take_the_place_of_verified_ones_only_where_told_to(tmp_path: Path) -> None:
    _verify(tmp_path)
    with pytest.raises(VerifiedOtherKeys, match="--replace"):
        _verify(tmp_path, OTHER_KEYS)
    assert load_verified(tmp_path)[COLLEGE] == KEYS

    _verify(tmp_path, OTHER_KEYS, replace=True)

    assert load_verified(tmp_path) == {COLLEGE: OTHER_KEYS}


def test_round_waits_for_members_whom_nobody_verified() -> None:
    with pytest.raises(MembersUnverified, match="fingerprints of college"):
        check_verified(MANIFEST, {}, own=RIVERSIDE)

    check_verified(MANIFEST, {COLLEGE: KEYS}, own=RIVERSIDE)
    assert unverified_members(MANIFEST, {}, own=RIVERSIDE) == (COLLEGE,)
    assert unverified_members(MANIFEST, {COLLEGE: KEYS}, own=RIVERSIDE) == ()


def test_project_may_leave_verifying_to_its_members() -> None:
    check_verified(_trusting(), {}, own=RIVERSIDE)


@pytest.mark.parametrize("terms", [MANIFEST, _trusting()])
def test_other_keys_of_a_verified_party_are_refused_whatever_the_project_says(terms: RoundManifest) -> None:
    for check in (check_same_keys, lambda m, v: check_verified(m, v, own=RIVERSIDE)):
        with pytest.raises(RefusedByPolicy, match="other keys for college"):
            check(terms, {COLLEGE: OTHER_KEYS})


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{}",
        b'{"format":"isthmus/verified/9","parties":[]}',
        msgspec.json.encode(
            {
                "format": "isthmus/verified/1",
                "parties": [{"party": "college", "identity_key": "zz", "agreement_key": "", "verified_at": NOW}],
            }
        ),
    ],
)
def test_damaged_list_is_refused_and_never_taken_for_an_empty_one(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "verified.json").write_bytes(data)

    with pytest.raises(MalformedDocument, match="list of verified parties"):
        load_verified(tmp_path)


def _view(state: RoundState) -> RoundView:
    return RoundView(
        round_id=ROUND,
        project_id=PROJECT,
        state=state,
        manifest_hash=MANIFEST.digest(),
        waiting_for=tuple(Waiting(party=party, needs="do its part") for party in (RIVERSIDE, COLLEGE)),
        updated_at=datetime(2026, 1, 15, 12, tzinfo=UTC),
    )


def test_locked_round_names_to_this_party_whose_fingerprints_come_first() -> None:
    own, other = name_unverified(_view(RoundState.LOCKED), MANIFEST, {}, own=RIVERSIDE).waiting_for

    assert own.needs == f"compare the fingerprints of college: isthmus-node fingerprint --round {ROUND}"
    assert other.needs == "do its part"


@pytest.mark.parametrize(
    ("state", "terms", "verified"),
    [
        (RoundState.PREFLIGHT, MANIFEST, {}),
        (RoundState.LOCKED, _trusting(), {}),
        (RoundState.LOCKED, MANIFEST, {COLLEGE: KEYS}),
    ],
    ids=["other state", "trusting", "verified"],
)
def test_round_in_which_fingerprints_hold_nothing_up_is_shown_as_it_came(
    state: RoundState, terms: RoundManifest, verified: dict[PartyId, KeyMember]
) -> None:
    view = _view(state)

    assert name_unverified(view, terms, verified, own=RIVERSIDE) == view
