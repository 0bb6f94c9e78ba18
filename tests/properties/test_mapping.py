"""What holds of masks and proposals for any text: masks tell classes alone, proposals are a function of the header."""

import tomllib
import unicodedata
from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from isthmus.contract.standard_fields import STANDARD_FIELDS
from isthmus.node.mapping.mask import LONGEST_SHOWN, common_shapes, mask_value
from isthmus.node.mapping.presets import PRESETS, STANDARD_NAMES, SYNONYMS, Preset
from isthmus.node.mapping.propose import Confidence, propose_mapping
from isthmus.node.mapping.show import MappedSource, settings_text
from isthmus.node.sources.open_source import Source

KNOWN = sorted({*STANDARD_NAMES, *SYNONYMS, *(name for names in PRESETS.values() for name in names)})
NAMES = st.sampled_from(KNOWN) | st.sampled_from(["Home City", "Mailing City", "Parent Name", "Grade"]) | st.text()
HEADERS = st.lists(NAMES, max_size=25)
ANY_PRESET = st.sampled_from([None, *Preset])
LETTERS_AND_DIGITS = st.characters(categories=["L", "N"])


@given(value=st.text())
def test_mask_has_no_letter_or_digit_but_those_of_classes(value: str) -> None:
    mask = mask_value(value).removesuffix(f" ({LONGEST_SHOWN}+)")

    assert len(mask) <= LONGEST_SHOWN
    assert {character for character in mask if character.isalnum()} <= set("Xx9")


@given(data=st.data(), value=st.text(max_size=20))
def test_mask_is_blind_to_which_letter_or_digit_stands_there(data: st.DataObject, value: str) -> None:
    plain = unicodedata.normalize("NFC", value)
    others = {"Lu": "ABQZ", "Ll": "abqz", "Nd": "0179"}
    swapped = "".join(
        data.draw(st.sampled_from(others[category])) if (category := unicodedata.category(c)) in others else c
        for c in plain
    )

    assert mask_value(swapped) == mask_value(value) or unicodedata.normalize("NFC", swapped) != swapped


@given(value=st.text(LETTERS_AND_DIGITS, min_size=LONGEST_SHOWN + 1), longer=st.text(LETTERS_AND_DIGITS, min_size=1))
def test_mask_of_long_value_hides_its_length(value: str, longer: str) -> None:
    composed = unicodedata.normalize("NFC", value)

    assert len(composed) <= LONGEST_SHOWN or mask_value(composed) == mask_value(composed + longer)


@given(values=st.lists(st.text(max_size=4)))
def test_shapes_are_at_most_three_different_masks(values: list[str]) -> None:
    shapes = common_shapes(values)

    assert len(shapes) == len(set(shapes)) == min(3, len({mask_value(value) for value in values} - {""}))


@given(header=HEADERS, preset=ANY_PRESET, data=st.data())
def test_proposal_is_blind_to_the_order_of_columns(
    header: Sequence[str], preset: Preset | None, data: st.DataObject
) -> None:
    shuffled = data.draw(st.permutations(header))
    one, other = propose_mapping(header, preset=preset), propose_mapping(shuffled, preset=preset)

    assert one == propose_mapping(header, preset=preset)
    assert (one.fields, one.id_column) == (other.fields, other.id_column)
    assert sorted(map(repr, one.columns)) == sorted(map(repr, other.columns))


@given(header=HEADERS, preset=ANY_PRESET)
def test_no_field_has_two_columns_and_no_column_two_fields(header: Sequence[str], preset: Preset | None) -> None:
    proposal = propose_mapping(header, preset=preset)
    sure = [one for one in proposal.columns if one.confidence in {Confidence.CERTAIN, Confidence.LIKELY}]
    targets = [one.targets for one in sure]
    taken = [*proposal.fields.values(), *([proposal.id_column] if proposal.id_column is not None else [])]

    assert all(len(one) == 1 for one in targets)
    assert len(targets) == len(set(targets))
    assert sorted(taken) == sorted(one.column for one in sure)
    assert all(header.count(column) == 1 for column in taken)
    assert set(proposal.fields) <= set(STANDARD_FIELDS)


@given(header=HEADERS, preset=ANY_PRESET, name=st.text(st.characters(codec="utf-8")))
def test_settings_of_any_header_read_back_as_proposed(header: Sequence[str], preset: Preset | None, name: str) -> None:
    sound = [column.encode("utf-8", "replace").decode() for column in header]
    proposal = propose_mapping(sound, preset=preset)
    mapped = MappedSource(
        name=name,
        dataset=Source(file="people.csv"),
        kind="csv",
        findings=(),
        proposal=proposal,
        shapes=tuple(() for _ in sound),
        date_order="",
    )

    dataset = tomllib.loads(settings_text(mapped))["datasets"][name]

    assert dataset["columns"] == proposal.fields
    assert dataset.get("id_column") == proposal.id_column
