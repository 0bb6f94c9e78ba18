"""Projects and round manifests: every reason for which one is refused, and that nothing can be changed unseen."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

import msgspec
import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st
from isthmus_local.agreement_file import agreement_file

from isthmus.contract.agreement import agreement_from_toml
from isthmus.contract.canonical import sha256
from isthmus.contract.comparison_terms import ComparisonTerms
from isthmus.contract.errors import (
    InvalidProfile,
    InvalidProject,
    IsthmusError,
    MalformedDocument,
    MalformedMessage,
    UnsupportedVersion,
)
from isthmus.contract.hardened import hardened_2
from isthmus.contract.ids import PartyId, RoundId
from isthmus.contract.manifest import Member, RoundManifest, build_manifest, manifest_from_bytes
from isthmus.contract.profile import default_threshold
from isthmus.contract.project import MAX_PROVIDERS, Project, RevealMode, project_from_bytes, project_from_toml

TOML = """
format = "isthmus/project/5"
agreement = "school-and-work"
id = "k12-to-work"
title = "From school to work"
purpose = "Count pupils in training a year later."
lead = "riverside"
reveal = "linked"
analysts = ["research"]

[[providers]]
party = "riverside"
dataset = "students"
fields = ["dob", "last_name", "first_name", "ssn"]

[[providers]]
party = "college"
dataset = "enrolments"
fields = ["first_name", "last_name", "dob", "zip"]
"""
PROJECT = project_from_toml(TOML)


def _document() -> dict[str, Any]:
    return dict(msgspec.to_builtins(PROJECT))


def _project(**changes: Any) -> Project:
    return project_from_bytes(rfc8785.dumps(_document() | changes))


def _provider(party: str = "riverside", *, fields: tuple[str, ...] = ("first_name", "dob")) -> dict[str, Any]:
    return {
        "party": party,
        "dataset": "people",
        "fields": list(fields),
        "max_rows": 20_000_000,
        "repeats": False,
        "years": [],
        "cohort": None,
    }


def _two(**first: Any) -> list[dict[str, Any]]:
    return [_provider() | first, _provider("college")]


def _manifest(project: Project = PROJECT) -> RoundManifest:
    agreement = agreement_from_toml(
        agreement_file("school-and-work", providers=project.provider_ids(), effective=date(2026, 1, 1))
    )
    return build_manifest(
        project,
        agreement=agreement,
        agreement_signatures=dict.fromkeys(project.provider_ids(), bytes(64)),
        round_id=RoundId("k12-to-work-00"),
        epoch=1,
        members=tuple(
            Member(
                party=party,
                name=party.title(),
                identity_key=f"{index:02x}" * 32,
                agreement_key=f"{index + 16:02x}" * 32,
            )
            for index, party in enumerate(project.provider_ids())
        ),
        coordinator_key=bytes(32),
        proposed_at="2026-01-15T12:00:00Z",
    )


def test_project_file_is_read_with_its_defaults() -> None:
    assert PROJECT.reveal is RevealMode.LINKED
    assert (PROJECT.profile, PROJECT.threshold, PROJECT.min_cell_count) == ("hardened-1", None, 10)
    assert PROJECT.provider_ids() == ("riverside", "college")
    assert PROJECT.shared_fields() == ("first_name", "last_name", "dob")


def test_threshold_is_the_projects_own_or_the_profiles_rule() -> None:
    rule = default_threshold(("first_name", "last_name", "dob"))
    assert _project(profile="interop-1").declared_threshold() == Decimal(rule)
    assert PROJECT.declared_threshold() == Decimal("0.50")
    assert _project(threshold="0.9125").declared_threshold() == Decimal("0.9125")


def test_hardened_2_is_lawful_where_fields_are_compared_with_or_without_the_table_of_names() -> None:
    compared = msgspec.to_builtins(ComparisonTerms())
    for granted in (False, True):
        found = _project(profile="hardened-2", name_table=granted, comparison=compared)
        assert found.build_profile() == hardened_2(found.shared_fields(), name_table=granted)
        assert _manifest(found).read_profile() == found.build_profile()


def test_project_comes_back_from_its_canonical_bytes() -> None:
    data = PROJECT.to_bytes()

    assert project_from_bytes(data) == PROJECT
    assert data == rfc8785.dumps(json.loads(data))
    assert PROJECT.digest() == sha256(data)


def test_comments_and_order_of_a_file_do_not_change_the_projects_identity() -> None:
    lines = TOML.partition("\n[[providers]]")
    shuffled = "\n".join(reversed(lines[0].splitlines())) + "\n# a comment" + lines[1] + lines[2]

    assert project_from_toml(shuffled).digest() == PROJECT.digest()


@pytest.mark.parametrize("threshold", ["0.1", "0.10", "0.85", "0.9999", "1.0", "1.0000"])
def test_threshold_from_a_tenth_to_one_is_lawful(threshold: str) -> None:
    assert _project(threshold=threshold).threshold == threshold


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"profile": "hardened-2"}, "hardened-2 is for projects that compare fields"),
        ({"profile": "hardened-2", "threshold": "0.5"}, "one score cannot judge: add [comparison]"),
        ({"id": "K12"}, "its id is not an id"),
        ({"id": "coordinator"}, "its id is coordinator"),
        ({"providers": _two(party="River Side")}, "a party's id is not an id"),
        ({"analysts": ["x"]}, "a party's id is not an id"),
        ({"lead": "-"}, "a party's id is not an id"),
        ({"providers": [_provider()]}, f"it needs between 2 and {MAX_PROVIDERS} providers"),
        ({"providers": []}, f"it needs between 2 and {MAX_PROVIDERS} providers"),
        (
            {"providers": [_provider(f"party-{index}") for index in range(MAX_PROVIDERS + 1)]},
            f"it needs between 2 and {MAX_PROVIDERS} providers",
        ),
        ({"providers": [*_two(), _provider()]}, "a provider is listed twice"),
        ({"lead": "research"}, "its lead is not one of its providers"),
        ({"analysts": ["college"]}, "a provider is also listed as an analyst"),
        ({"providers": _two(fields=["dob", "sex", "shoe"])}, "riverside brings fields that are not standard: shoe"),
        ({"providers": _two(fields=["dob", "dob", "first_name"])}, "riverside lists a field twice"),
        ({"providers": _two(fields=["dob"])}, "its providers share fewer than two fields"),
        ({"title": " "}, "it needs a title of at most 200"),
        ({"purpose": "one\nprovider-9 signed"}, "each one printable line"),
        ({"title": "x\x1b[2J"}, "each one printable line"),
        ({"purpose": ""}, "a purpose of at most 1000"),
        ({"profile": "hardened-9"}, "its profile is not one"),
        ({"threshold": "0.0999"}, "its threshold must be"),
        ({"threshold": "0.0"}, "its threshold must be"),
        ({"threshold": "1.0001"}, "its threshold must be"),
        ({"threshold": "0.12345"}, "its threshold must be"),
        ({"threshold": ".5"}, "its threshold must be"),
        ({"threshold": "nan"}, "its threshold must be"),
        ({"threshold": "0.8\n"}, "its threshold must be"),
        ({"min_cell_count": 2}, "its min_cell_count is not between 3 and 1000000"),
        ({"min_cell_count": -10}, "its min_cell_count is not between 3 and 1000000"),
        ({"min_cell_count": 1_000_001}, "its min_cell_count is not between 3 and 1000000"),
    ],
)  # fmt: skip
def test_project_that_is_not_lawful_is_refused(changes: dict[str, Any], problem: str) -> None:
    with pytest.raises(InvalidProject) as refused:
        _project(**changes)

    assert problem in refused.value.problem


def test_all_that_is_wrong_is_named_at_once() -> None:
    with pytest.raises(InvalidProject) as refused:
        _project(title="", lead="research", threshold="2", min_cell_count=1, analysts=["college"])

    assert refused.value.problem.count(";") == 4


def test_project_of_another_version_is_refused() -> None:
    with pytest.raises(UnsupportedVersion, match="isthmus/project/6"):
        _project(format="isthmus/project/6")


@pytest.mark.parametrize(
    "text",
    [
        "format =",
        TOML + "surprise = 1",
        TOML.replace('lead = "riverside"\n', ""),
        TOML.replace('reveal = "linked"', 'reveal = "everything"'),
        TOML.replace('reveal = "linked"\n', ""),
        TOML.replace('dataset = "students"', "dataset = 1"),
        TOML.replace('id = "k12-to-work"', 'id = "k12-to-work"\nthreshold = 0.8'),
        "id = " + "[" * 100_000,
    ],
)
def test_file_of_another_shape_is_refused(text: str) -> None:
    with pytest.raises(MalformedDocument, match="project file"):
        project_from_toml(text)


def test_number_that_has_no_canonical_bytes_is_refused_before_it_is_hashed() -> None:
    with pytest.raises(InvalidProject, match="min_cell_count"):
        project_from_toml(TOML.replace('reveal = "linked"', f'reveal = "linked"\nmin_cell_count = {10**18}'))


def test_bytes_of_a_project_that_are_not_canonical_are_refused() -> None:
    with pytest.raises(MalformedDocument):
        project_from_bytes(PROJECT.to_bytes() + b"\n")


def test_manifest_comes_back_from_its_canonical_bytes() -> None:
    manifest = _manifest()

    assert manifest_from_bytes(manifest.to_bytes()) == manifest
    assert manifest.digest() == sha256(manifest.to_bytes())
    assert manifest.threshold == str(PROJECT.declared_threshold())
    assert manifest.read_profile().fields == PROJECT.shared_fields()


def test_manifest_gives_members_and_terms_by_party() -> None:
    manifest = _manifest()
    member, terms = manifest.member(PartyId("college")), manifest.terms(PartyId("college"))

    assert member is not None and member.identity_key == "01" * 32
    assert terms is not None and terms.dataset == "enrolments"
    assert manifest.member(PartyId("nobody")) is None
    assert manifest.terms(PartyId("nobody")) is None


@dataclass(frozen=True, slots=True)
class Tampering:
    """One change of a manifest's document, and the refusal that it meets."""

    change: Callable[[dict[str, Any]], object]
    refusal: type[IsthmusError]
    problem: str


TAMPERINGS = {
    "format": Tampering(lambda m: m.update(format="isthmus/round-manifest/9"), UnsupportedVersion, "manifest/9"),
    "unknown key": Tampering(lambda m: m.update(extra=1), MalformedDocument, "unknown field"),
    "missing key": Tampering(lambda m: m.pop("threshold"), MalformedDocument, "missing"),
    "round id": Tampering(lambda m: m.update(round_id="../../etc"), MalformedMessage, "round_id"),
    "threshold": Tampering(lambda m: m.update(threshold="0.5"), MalformedDocument, "not the declared one"),
    "profile's name": Tampering(lambda m: m["profile"].update(name="plain"), InvalidProfile, "no hardened profile"),
    "profile's bits": Tampering(lambda m: m["profile"].update(clk_bits=64), InvalidProfile, "content"),
    "profile's fields": Tampering(
        lambda m: m.update(profile=_manifest(_project(providers=_two())).profile),
        MalformedDocument,
        "not the one that follows",
    ),
    "member left out": Tampering(lambda m: m["members"].pop(), MalformedDocument, "not the project's providers"),
    "members' order": Tampering(lambda m: m["members"].reverse(), MalformedDocument, "not the project's providers"),
    "member's id": Tampering(
        lambda m: m["members"][0].update(party="mallory"), MalformedDocument, "not the project's providers"
    ),
    "short key": Tampering(lambda m: m["members"][0].update(identity_key="00"), MalformedDocument, "64 hex digits"),
    "no key": Tampering(lambda m: m["members"][0].update(identity_key="x" * 64), MalformedDocument, "64 hex digits"),
    "key in capitals": Tampering(
        lambda m: m["members"][0].update(identity_key="AB" * 32), MalformedDocument, "64 hex digits"
    ),
    "another agreement key": Tampering(
        lambda m: m["members"][0].update(agreement_key="00"), MalformedDocument, "64 hex digits"
    ),
    "one key for two members": Tampering(
        lambda m: m["members"][0].update(agreement_key="11" * 32), MalformedDocument, "keys are the same"
    ),
    "one key for both uses": Tampering(
        lambda m: m["members"][0].update(agreement_key="00" * 32), MalformedDocument, "keys are the same"
    ),
    "epoch zero": Tampering(lambda m: m.update(epoch=0), MalformedDocument, "epoch is not between"),
    "epoch too late": Tampering(lambda m: m.update(epoch=2**31), MalformedDocument, "epoch is not between"),
    "coordinator's key": Tampering(lambda m: m.update(coordinator_key=""), MalformedDocument, "64 hex digits"),
    "unlawful project": Tampering(lambda m: m["project"].update(min_cell_count=1), InvalidProject, "min_cell_count"),
    "another version of project": Tampering(
        lambda m: m["project"].update(format="isthmus/project/9"), UnsupportedVersion, "project/9"
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", TAMPERINGS)
def test_tampering_is_refused(name: str) -> None:
    tampering = TAMPERINGS[name]
    document = json.loads(_manifest().to_bytes())
    tampering.change(document)

    with pytest.raises(tampering.refusal, match=tampering.problem):
        manifest_from_bytes(rfc8785.dumps(document))


def _paths(value: Any, at: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place of a leaf in a JSON value."""
    if isinstance(value, dict):
        return [path for key, below in value.items() for path in _paths(below, (*at, key))]
    if isinstance(value, list):
        return [path for index, below in enumerate(value) for path in _paths(below, (*at, index))]
    return [at]


_LEAVES = _paths(json.loads(_manifest().to_bytes()))


@given(st.sampled_from(_LEAVES), st.one_of(st.none(), st.booleans(), st.integers(-9, 9), st.text(max_size=9)))
def test_manifest_with_any_value_changed_is_refused_or_has_another_hash(path: tuple[Any, ...], value: object) -> None:
    document = json.loads(_manifest().to_bytes())
    place = document
    for step in path[:-1]:
        place = place[step]
    unchanged = type(place[path[-1]]) is type(value) and place[path[-1]] == value
    place[path[-1]] = value

    try:
        digest = manifest_from_bytes(rfc8785.dumps(document)).digest()
    except IsthmusError:
        return
    assert (digest == _manifest().digest()) is unchanged


@pytest.mark.parametrize(
    "data", [b"", b"{}", b"\xff", _manifest().to_bytes() + b" ", b'{"profile":' + b'{"a":' * 99_999]
)
def test_bytes_that_are_no_canonical_manifest_are_refused(data: bytes) -> None:
    with pytest.raises(MalformedDocument, match="round manifest"):
        manifest_from_bytes(data)
