"""Known answers: the same at nodes of one version and key, another where normaliser, encoder, key or round differ."""

import hashlib
import hmac

import msgspec
import pytest
from unit.node.parts import PROJECT, ROUND, manifest, project

from isthmus.contract.errors import MalformedMessage
from isthmus.contract.ids import RoundId
from isthmus.contract.keyed_blocks import Blocks
from isthmus.contract.known_answers import (
    KNOWN_VALUES,
    KnownAnswer,
    answered_parts,
    answers_from_text,
    answers_text,
    differing_parts,
)
from isthmus.contract.manifest import RoundManifest
from isthmus.contract.match_keys import Part, PartForm
from isthmus.contract.profiles import build_profile
from isthmus.contract.secret import Secret
from isthmus.contract.standard_fields import STANDARD_FIELDS
from isthmus.node import known_answers as module
from isthmus.node.encode import buckets
from isthmus.node.known_answers import known_answers
from isthmus.node.normalise.dates import DateOrder
from isthmus.node.normalise.norm1 import normalise_column
from isthmus.node.round_encoding import ENCODERS, RoundEncoding

MANIFEST = manifest()
FIELDS = project().shared_fields()


def _encoding(
    *, terms: RoundManifest = MANIFEST, key: bytes = b"k" * 32, encoder: str = "isthmus", profile: str = "interop-1"
) -> RoundEncoding:
    chosen = build_profile(profile, terms.project.shared_fields())
    return RoundEncoding(manifest=terms, profile=chosen, key=Secret(key), encoder=encoder)


@pytest.mark.parametrize("profile", ["hardened-1", "hardened-2", "hardened-single-1", "interop-1"])
def test_answers_are_one_for_each_field_table_and_match_key_and_repeat(profile: str) -> None:
    encoding = _encoding(profile=profile)

    answers = known_answers(encoding)

    assert tuple(answer.part for answer in answers) == answered_parts(encoding.profile, None)
    assert len({answer.mac for answer in answers}) == len(answers)
    assert known_answers(encoding) == answers


@pytest.mark.parametrize("encoder", ENCODERS)
def test_encoders_that_give_the_same_bytes_answer_the_same(encoder: str) -> None:
    assert known_answers(_encoding(encoder=encoder)) == known_answers(_encoding())


def test_another_key_or_round_makes_every_answer_another() -> None:
    ours = known_answers(_encoding())
    other_round = msgspec.structs.replace(MANIFEST, round_id=RoundId("k12-to-work-2"))

    for theirs in (known_answers(_encoding(key=b"l" * 32)), known_answers(_encoding(terms=other_round))):
        assert differing_parts(ours, theirs) == tuple(f"field:{field}" for field in project().shared_fields())


def test_another_normaliser_is_named_by_its_field(monkeypatch: pytest.MonkeyPatch) -> None:
    ours = known_answers(_encoding())
    real = normalise_column

    def older(field: str, values: list[str], **options: object) -> object:
        shown = [value.replace("ü", "") for value in values] if field == "last_name" else values
        return real(field, shown, **options)  # type: ignore[arg-type] # passed through

    monkeypatch.setattr(module, "normalise_column", older)

    assert differing_parts(ours, known_answers(_encoding())) == ("field:last_name",)


def test_hardened_1_is_answered_for_by_field_and_table_and_match_key_in_order() -> None:
    parts = [answer.part for answer in known_answers(_encoding(profile="hardened-1"))]

    assert parts[:3] == ["field:first_name", "field:last_name", "field:dob"]
    assert parts[3:6] == ["table:all", "key:first-birth", "key:last-birth"]
    assert all(part.startswith("key:") for part in parts[4:])


@pytest.mark.parametrize("part", ["table:all", "key:last_initial-birth"])
def test_another_encoder_is_named_by_its_table_or_match_key(part: str) -> None:
    ours = known_answers(_encoding(profile="hardened-1"))
    theirs = tuple(KnownAnswer(part=one.part, mac=bytes(16) if one.part == part else one.mac) for one in ours)

    assert differing_parts(ours, theirs) == (part,)


def test_node_that_cuts_bytes_for_characters_is_named_by_the_match_keys_of_what_it_cuts(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ours = known_answers(_encoding(profile="hardened-1"))
    real = Part.of

    def cut_bytes(part: Part, value: str) -> str:
        return real(part, value.encode().decode("latin-1")) if part.slices else real(part, value)

    monkeypatch.setattr(Part, "of", cut_bytes)

    assert differing_parts(ours, known_answers(_encoding(profile="hardened-1"))) == (
        "key:initial-birth",
        "key:stems-year_month",
        "key:stems-year_day",
        "key:stems-month_day",
    )


def test_node_that_makes_sounds_otherwise_is_named_by_the_wide_keys_of_sounds(monkeypatch: pytest.MonkeyPatch) -> None:
    ours = known_answers(_encoding(profile="hardened-2"))
    real = Part.of

    def longer(part: Part, value: str) -> str:
        return real(part, value) + ("0" if part.form is PartForm.SOUND else "")

    monkeypatch.setattr(Part, "of", longer)
    differing = differing_parts(ours, known_answers(_encoding(profile="hardened-2")))

    assert differing[:3] == ("key:sounds", "key:sounds-year", "key:sounds-month_day")
    assert all("sound" in part for part in differing)


BLOCKED = manifest(project(blocks=Blocks(keys=("names-year", "first-birth"), buckets=64)))


@pytest.mark.parametrize("profile", ["hardened-1", "interop-1"])
def test_block_keys_of_the_project_are_answered_for_last(profile: str) -> None:
    answers = known_answers(_encoding(terms=BLOCKED, profile=profile))

    assert tuple(one.part for one in answers[-2:]) == ("block:names-year", "block:first-birth")
    assert answers[:-2] == known_answers(_encoding(profile=profile))
    assert tuple(one.part for one in answers) == answered_parts(build_profile(profile, FIELDS), BLOCKED.project.blocks)


def test_block_keys_answer_is_over_the_twelve_whole_tags() -> None:
    encoding = _encoding(terms=BLOCKED)
    values = dict(zip(FIELDS, _normalised(), strict=True))
    info = f"isthmus/1|%s|{PROJECT}|{ROUND}"
    key = _hkdf(_hkdf(b"k" * 32, info % "block"), "isthmus/1|block|first-birth")
    parts = zip(values["first_name"], values["dob"], strict=True)
    tags = [_tag(key, "\x1f".join(both)) if all(both) else bytes(16) for both in parts]

    answer = known_answers(encoding)[-1]

    content = b"block:first-birth\0" + b"".join(tags)
    assert answer.mac == hmac.digest(_hkdf(b"k" * 32, info % "known-answers"), content, "sha256")[:16]
    assert len(tags) == 12
    assert bytes(16) in tags


def _normalised() -> list[list[str]]:
    return [normalise_column(field, list(KNOWN_VALUES[field]), date_order=DateOrder.YMD).values for field in FIELDS]


def _hkdf(key: bytes, info: str) -> bytes:
    return hmac.digest(hmac.digest(bytes(32), key, "sha256"), info.encode() + b"\x01", "sha256")


def _tag(key: bytes, text: str) -> bytes:
    return hashlib.blake2b(text.encode(), key=key, digest_size=16).digest()


def test_node_with_another_block_key_is_named_by_it(monkeypatch: pytest.MonkeyPatch) -> None:
    ours = known_answers(_encoding(terms=BLOCKED))
    real = buckets.block_key

    def older(key: Secret, *, name: str) -> Secret:
        return real(key, name=name.replace("names", "name"))

    monkeypatch.setattr(buckets, "block_key", older)

    assert differing_parts(ours, known_answers(_encoding(terms=BLOCKED))) == ("block:names-year",)


def test_part_that_one_side_lacks_differs() -> None:
    ours = known_answers(_encoding())

    assert differing_parts(ours, ours[:-1]) == ("table:all",)


def test_answers_survive_as_text() -> None:
    answers = known_answers(_encoding(profile="hardened-1"))

    assert answers_from_text(answers_text(answers)) == answers
    assert answers_from_text("") == ()


@pytest.mark.parametrize(
    ("part", "size"), [("field:dob", 15), ("dob", 16), (f"field:{70 * 'x'}", 16), ("field:a b", 16)]
)
def test_answer_out_of_bounds_is_refused(part: str, size: int) -> None:
    with pytest.raises(MalformedMessage):
        KnownAnswer(part=part, mac=bytes(size))


def test_every_standard_field_has_twelve_known_values() -> None:
    assert set(KNOWN_VALUES) == set(STANDARD_FIELDS)
    assert {len(values) for values in KNOWN_VALUES.values()} == {12}
