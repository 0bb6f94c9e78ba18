"""Known answers of field comparison: they are those of the vectors, and a node that answers otherwise stays out."""

import hashlib
import json
from pathlib import Path
from typing import Any, cast

import pytest
from unit.node.parts import identity, manifest, project

from isthmus.contract.comparison import comparison_1
from isthmus.contract.comparison_terms import ComparisonTerms
from isthmus.contract.known_answers import KNOWN_VALUES
from isthmus.contract.manifest import RoundManifest
from isthmus.contract.secret import Secret
from isthmus.node import take_part
from isthmus.node.compare import answers, pads, row_fields
from isthmus.node.errors import RefusedByPolicy
from isthmus.node.known_comparisons import KNOWN_DIGESTS, PAIRS, differing_answers

VECTORS = Path(__file__).parents[2] / "vectors" / "comparison.json"
PARTS = [part.name for part in comparison_1(tuple(KNOWN_VALUES)).parts]


def test_this_node_gives_the_known_answers_of_every_part() -> None:
    assert differing_answers() == ()
    assert list(KNOWN_DIGESTS) == PARTS
    assert len(PARTS) == 29


def test_known_answers_are_those_of_the_vectors_that_another_program_confirms() -> None:
    (case,) = [one for one in json.loads(VECTORS.read_text())["cases"] if one["name"] == "known-answers"]
    given = [bytes.fromhex(pair[side]) for pair in case["pairs"] for side in ("left", "right")]

    assert len(given) == 2 * PAIRS
    for place, part in enumerate(case["parts"]):
        start, end = part["from"], part["from"] + part["bytes"]
        covered = b"".join(bytes([int.from_bytes(one[:4], "little") >> place & 1]) + one[start:end] for one in given)
        assert hashlib.sha256(covered).hexdigest()[:16] == KNOWN_DIGESTS[part["name"]]


def test_every_part_is_there_in_some_known_answer_of_either_side() -> None:
    (case,) = [one for one in json.loads(VECTORS.read_text())["cases"] if one["name"] == "known-answers"]

    for side in ("left", "right"):
        presence = [int.from_bytes(bytes.fromhex(pair[side])[:4], "little") for pair in case["pairs"]]
        assert [name for place, name in enumerate(PARTS) if not any(one >> place & 1 for one in presence)] == []


def test_other_nicknames_are_named_by_their_part(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(cast("Any", row_fields)._TAKEN, "nickname", str.upper)

    assert differing_answers() == ("first_name.nickname",)


def test_other_bands_are_named_by_their_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(row_fields, "BANDS", (1_000, 10_000, 100_000))

    assert differing_answers() == ("first_name.band", "last_name.band")


def test_order_that_is_another_where_numbers_are_sorted_otherwise_is_named_by_all_vectors(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    real = pads.padded_vectors
    monkeypatch.setattr(answers, "padded_vectors", lambda *args, **keys: real(*args, **keys)[:, ::-1].copy())

    assert differing_answers() == tuple(name for name in PARTS if name in _vector_names())


def _vector_names() -> set[str]:
    return {part.name for part in comparison_1(tuple(KNOWN_VALUES)).parts if hasattr(part, "bits")}


class _Hub:
    """Notes whether the node confirmed."""

    confirmed = False

    def confirm_preflight(self, *_: object, **__: object) -> None:
        self.confirmed = True


class _Node:
    """A node that has a round's key."""

    identity = identity()

    class config:  # noqa: N801 - an attribute of the node
        encoder = "isthmus"

    def round_master(self, _round_id: str) -> Secret:
        return Secret(b"k" * 32)


@pytest.mark.parametrize("comparison", [None, ComparisonTerms()])
def test_node_that_compares_otherwise_does_not_confirm_where_fields_are_compared(
    monkeypatch: pytest.MonkeyPatch, comparison: ComparisonTerms | None
) -> None:
    monkeypatch.setattr(row_fields, "BANDS", (1_000, 10_000, 100_000))
    hub, terms = _Hub(), manifest(project(comparison=comparison))

    if comparison is None:
        _confirm(hub, terms)
    else:
        with pytest.raises(RefusedByPolicy, match=r"known answers .* \(first_name.band, last_name.band\)"):
            _confirm(hub, terms)

    assert hub.confirmed is (comparison is None)


def _confirm(hub: _Hub, terms: RoundManifest) -> None:
    take_part.confirm(cast("Any", _Node()), cast("Any", hub), terms)
