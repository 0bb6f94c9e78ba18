"""A round in plain language: everything that a steward agrees to is in it, and nothing that could steer a terminal."""

import re
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from docs.pages import DOCS, first_cells, read
from msgspec import structs
from unit.node.parts import COLLEGE, PROJECT, RIVERSIDE, ROUND, manifest, project

from isthmus.contract.comparison_terms import Accept, ComparisonTerms
from isthmus.contract.ids import PartyId
from isthmus.contract.keyed_blocks import Blocks
from isthmus.contract.project import RevealMode
from isthmus.contract.round_state import RoundState
from isthmus.contract.views import RoundView, Waiting
from isthmus.node.show import manifest_text, report_text, unverified_text

VIEW = RoundView(
    round_id=ROUND,
    project_id=PROJECT,
    state=RoundState.PROPOSED,
    manifest_hash=manifest().digest(),
    waiting_for=(Waiting(party=RIVERSIDE, needs="sign or decline the round"),),
    updated_at=datetime(2026, 1, 15, 12, tzinfo=UTC),
)
RELEASED = replace(VIEW, state=RoundState.RELEASED, waiting_for=())
REPORT = {
    "rows": 12_345,
    "bytes": 1_777_680,
    "clk_bits": 1024,
    "encoded": {"first_name": "First", "dob": "Born"},
    "stayed": ["StudentId", "Zip"],
    "source": ["encoding utf-8: every byte decodes"],
    "quality": {
        "first_name": {"missing": 8, "placeholder": 0, "damaged": 1_200},
        "dob": {"missing": 0, "placeholder": 0, "damaged": 0},
    },
    "too_little_to_link": 3,
}


def _text() -> str:
    return manifest_text(manifest(), VIEW, {COLLEGE: b"signature"}, RIVERSIDE)


@pytest.mark.parametrize(
    "line",
    [
        "k12-to-work-1  proposed  (since 2026-01-15T12:00:00Z)",
        "    waiting for you (riverside): sign or decline the round",
        "  project    From school to work (k12-to-work), led by riverside",
        "  purpose    Count pupils in training a year later.",
        "    riverside (you): Riverside, data set students, not signed yet",
        "      brings first_name, last_name, dob",
        "    college: College, data set enrolments, signed",
        "      brings first_name, last_name, dob, ssn",
        "  encoded    first_name, last_name, dob: the fields that all bring, as interop-1",
        "  released   to nobody; no count below 10",
        f"  hashes     project {project().digest().hex()}",
        f"             manifest {manifest().digest().hex()}",
    ],
)
def test_terms_are_shown(line: str) -> None:
    assert line in _text().splitlines()


def test_threshold_is_shown_as_it_was_declared() -> None:
    assert f"when similarity is {manifest().threshold} or more" in _text()


def test_provider_of_whom_several_rows_may_link_is_named_beside_the_rule() -> None:
    providers = tuple(structs.replace(terms, repeats=terms.party == COLLEGE) for terms in project().providers)
    text = manifest_text(manifest(project(providers=providers)), VIEW, {}, RIVERSIDE)

    assert "one row of a provider at most, but several of college:\n" in text
    assert "all rows of a person get one ID, tables count people\n" in text
    assert "but several of" not in _text()


def test_reader_is_told_that_encodings_are_personal_data() -> None:
    assert "pseudonymous personal data" in _text()


@pytest.mark.parametrize(("mode", "words"), [(RevealMode.LINKED, "rows that linked"), (RevealMode.SPINE, "every one")])
def test_what_providers_learn_is_said_for_each_mode(mode: RevealMode, words: str) -> None:
    text = manifest_text(manifest(project(reveal=mode)), VIEW, {}, RIVERSIDE)

    assert words in text


def test_analysts_are_named() -> None:
    text = manifest_text(manifest(project(analysts=(PartyId("research"),))), VIEW, {}, RIVERSIDE)

    assert "  released   to research; no count below 10" in text


def test_report_says_how_many_were_left_out_and_why() -> None:
    lines = report_text(REPORT | {"left_out": ["2 rows opted out by OptOut"], "not_found": 3}).splitlines()

    assert "  left out   2 rows opted out by OptOut" in lines
    assert "  not found  3 ids of the opt-out list are not in the data set" in lines


def test_report_shows_what_leaves_and_what_stays() -> None:
    assert report_text(REPORT).splitlines() == [
        "  leaves     12,345 rows of 1024 bits, 1,777,680 bytes, shuffled,",
        "             each under a random handle: no row id, no name, no value in the clear",
        "  made from  first_name (your First), dob (your Born)",
        "  stays      StudentId, Zip and every column that node.toml does not map",
        "  source     encoding utf-8: every byte decodes",
        "  too little 3 rows hold too few values to link; they leave empty",
        "  first_name 8 missing, 1,200 damaged",
    ]


def test_tables_and_match_keys_of_a_hardened_profile_are_named_in_terms_and_report() -> None:
    terms = manifest_text(manifest(project(profile="hardened-1")), VIEW, {}, RIVERSIDE)

    assert "  tables     all" in terms.splitlines()
    assert "  match keys first-birth, last-birth, initial-birth, last_initial-birth, stems-year_month," in terms
    assert "when the link score is 0.50 or more" in terms
    assert "with which rows of another provider" in terms
    left = report_text(REPORT | {"clk_bits": 2048, "tables": ["all", "person"], "match_keys": ["ssn-zip", "birth-zip"]})
    assert "12,345 rows of 2048 bits in each of 2 tables and 2 tags of match keys" in left


def test_wide_keys_of_hardened_2_stand_on_a_line_of_their_own() -> None:
    terms = manifest_text(manifest(project(profile="hardened-2", comparison=ComparisonTerms())), VIEW, {}, RIVERSIDE)
    lines = {line[2:13].strip(): line[13:] for line in terms.splitlines()}

    assert lines["match keys"].endswith(", names-year")
    assert lines["wide keys"].startswith("sounds, sounds-year, sounds-month_day, ends, ")
    assert "names that sound alike, with which rows of another provider" in terms


@pytest.mark.parametrize("name", ["interop-1", "hardened-single-1"])
def test_profile_without_match_keys_names_none(name: str) -> None:
    assert "match keys" not in manifest_text(manifest(project(profile=name)), VIEW, {}, RIVERSIDE)
    assert "match keys" not in report_text(REPORT | {"match_keys": []})


def test_report_says_how_many_tags_left_as_random_bytes_and_why() -> None:
    hidden = report_text(REPORT | {"hidden_tags": {"initial-birth": 1_200, "birth-zip": 34, "ssn-zip": 0}})

    assert "  tags       1,234 that several rows have, in whose place random bytes stand" in hidden
    assert "random bytes" not in report_text(REPORT | {"hidden_tags": {"initial-birth": 0}})


COMPARED = ComparisonTerms(slots=6, accept=Accept.STRICT)


def test_terms_say_what_field_comparison_grants_and_what_the_coordinator_learns() -> None:
    text = manifest_text(manifest(project(comparison=COMPARED)), VIEW, {}, RIVERSIDE)

    assert "             those of college, by first_name, last_name, dob\n" in text
    assert "Budget: 6 pairs for each row of the larger of two data sets" in text
    assert "fields a row lacks" in text
    assert "names that are equal, how common they are" in text
    assert "when the probability that two rows are one person is 0.5 or more (strict); one row of a provider" in text
    assert "Pinned" not in text
    assert "similarity is" not in text


def test_terms_say_what_is_pinned_of_the_model() -> None:
    pinned = ComparisonTerms(grades=(80, 60, 40), starting={"sex": (990, 10)})
    text = manifest_text(manifest(project(comparison=pinned, providers=_WITH_SEX)), VIEW, {}, RIVERSIDE)

    assert "letters that agree by 80, 60 and 40 %" in text
    assert "usual at first, for sex." in text


def test_terms_say_that_the_self_audit_does_not_test_answers() -> None:
    text = manifest_text(manifest(project(comparison=COMPARED, audit_limit_percent=5)), VIEW, {}, RIVERSIDE)

    assert "  self-audit over 5 % recognised, a node stops before anything leaves; answers are no part of it\n" in text


def test_terms_without_field_comparison_say_nothing_of_it() -> None:
    assert "compared   field" not in _text()
    assert "Budget" not in _text()


def test_report_says_which_columns_are_compared_and_how_many_answers_may_leave() -> None:
    answers = {"fields": ["first_name", "zip"], "answer_bytes": 100, "most": 80_000, "most_if_smaller": 49_380}
    told = report_text(REPORT | {"compared": {"first_name": "First", "zip": "Zip"}, "answers": {"college": answers}})

    assert "  compared   first_name (your First), zip (your Zip), in pairs" in told
    assert "about pairs with college: at most 49,380, 4,938,000 bytes" in told
    assert "80,000, 8,000,000 bytes, if it is as large as the terms allow" in told


_WITH_SEX = tuple(structs.replace(one, fields=(*one.fields, "sex")) for one in project().providers)


def test_guide_of_stewards_explains_every_line_and_no_other() -> None:
    everything = project(
        profile="hardened-2",
        questions=("How many are in training a year later?",),
        audit_limit_percent=5,
        require_verified=False,
        blocks=BLOCKS,
        comparison=structs.replace(COMPARED, planted=500),
    )
    shown = manifest(everything)
    terms, _, _ = manifest_text(shown, VIEW, {}, RIVERSIDE).partition("  An encoding is")
    lines = terms + unverified_text(shown, [COLLEGE])
    labels = {label.strip() for label in re.findall(r"^  (?=[a-z])(.{10}|providers)(?= |$)", lines, re.MULTILINE)}

    assert labels == first_cells(read(DOCS / "guides" / "steward.md"))


BLOCKS = Blocks(keys=("first-birth", "last-birth"), buckets=4096)
BLOCKED = {
    "match_keys": [],
    "blocks": ["first-birth", "last-birth"],
    "withheld_blocks": {"first-birth": 1_200, "last-birth": 0},
    "in_no_block": 1_234,
}


@pytest.mark.parametrize(
    ("profile", "compared"), [("interop-1", "share a bucket are"), ("hardened-1", "bucket or a match key's tag are")]
)
def test_terms_say_that_blocks_are_granted_and_what_they_give_away(profile: str, compared: str) -> None:
    terms = manifest_text(manifest(project(profile=profile, blocks=BLOCKS)), VIEW, {}, RIVERSIDE)

    assert "  blocks     first-birth, last-birth: 4,096 buckets each" in terms.splitlines()
    assert compared in terms
    assert "The coordinator sees which of your own rows share buckets" in terms
    assert "the self-audit does not test it" in terms


def test_steward_is_warned_of_block_keys_whose_values_many_rows_share() -> None:
    telling_keys = ("first-birth", "initial-birth", "last_initial-birth")
    fine, telling, plain = (
        manifest_text(manifest(project(profile=profile, blocks=Blocks(keys=keys, buckets=64))), VIEW, {}, RIVERSIDE)
        for profile, keys in (
            ("hardened-1", ("first-birth", "names-year")),
            ("hardened-1", telling_keys),
            ("interop-1", telling_keys),
        )
    )

    assert "warning" not in fine + plain
    assert "many rows share the values of initial-birth, last_initial-birth, so" in telling


def test_terms_without_blocks_name_none() -> None:
    assert "bucket" not in _text()


def test_limit_of_the_self_audit_is_said_not_to_cover_bucket_numbers() -> None:
    terms = manifest_text(manifest(project(blocks=BLOCKS, audit_limit_percent=5)), VIEW, {}, RIVERSIDE)

    assert "a node stops before anything leaves; bucket numbers are no part of it" in terms


def test_report_counts_bucket_numbers_and_rows_whose_bucket_is_withheld() -> None:
    lines = report_text(REPORT | BLOCKED).splitlines()

    assert lines[0].endswith(
        "rows of 1024 bits and 2 bucket numbers (first-birth, last-birth), 1,777,680 bytes, shuffled,"
    )
    assert "  withheld   the bucket numbers of 1,200 rows under first-birth: too few rows share each bucket" in lines
    assert not any("under last-birth" in line for line in lines)


@pytest.mark.parametrize(("match_keys", "whom"), [([], "with nobody"), (["birth-zip"], "by a match key's tag alone")])
def test_report_says_that_rows_in_no_bucket_are_hardly_compared(match_keys: list[str], whom: str) -> None:
    text = report_text(REPORT | BLOCKED | {"match_keys": match_keys})

    assert f"  no bucket  1,234 rows (10.0 %) are in none; they are compared {whom}" in text


@pytest.mark.parametrize(("outside", "warned"), [(1_234, False), (1_235, True)])
def test_more_than_a_tenth_in_no_bucket_is_warned_of(outside: int, warned: bool) -> None:
    assert ("  warning    that is many" in report_text(REPORT | BLOCKED | {"in_no_block": outside})) is warned


def test_report_without_blocks_says_nothing_of_buckets() -> None:
    plain = report_text(REPORT)

    assert report_text(REPORT | {"blocks": [], "withheld_blocks": {}, "in_no_block": 0}) == plain
    assert "bucket" not in plain


def test_round_whose_project_plants_people_says_so() -> None:
    planting = manifest(project(comparison=ComparisonTerms(planted=500)))

    assert "planted    500 made-up people" in manifest_text(planting, VIEW, {}, RIVERSIDE)
    assert "planted" not in manifest_text(manifest(), VIEW, {}, RIVERSIDE)


@pytest.mark.parametrize(("view", "providers", "told"), [(RELEASED, 2, True), (VIEW, 2, False), (RELEASED, 61, False)])
def test_command_for_the_quality_report_is_shown_once_there_is_one(view: RoundView, providers: int, told: bool) -> None:
    terms = manifest(project(comparison=ComparisonTerms()))
    many = tuple(structs.replace(terms.project.providers[0], party=PartyId(f"p-{place}")) for place in range(providers))
    shown = structs.replace(terms, project=structs.replace(terms.project, providers=many))

    text = manifest_text(shown, view, {}, PartyId("p-1"))

    assert (f"isthmus-node round quality {ROUND}" in text) is told
