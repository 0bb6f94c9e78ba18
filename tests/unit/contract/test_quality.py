"""Quality reports: their bytes are read back, and what no report can say is refused."""

import json
from typing import Any

import msgspec
import pytest
import rfc8785

from isthmus.contract.errors import MalformedDocument, UnsupportedVersion
from isthmus.contract.ids import PartyId, RoundId
from isthmus.contract.quality import (
    MAX_QUALITY_BYTES,
    QUALITY_FORMAT,
    Band,
    Interval,
    LevelWeight,
    NotEnoughData,
    PairQuality,
    Pattern,
    Planted,
    QualityReport,
    Rung,
    TooLittle,
    quality_from_bytes,
    quality_of_round,
)

SURE = Interval(value=0.98, low=0.95, high=1.0)
UNKNOWN = NotEnoughData(reason=TooLittle.FEW_PLANTED)


def _report() -> QualityReport:
    pair = PairQuality(
        left=PartyId("k12"),
        right=PartyId("college"),
        rows=(5_000, 6_000),
        fields=("last_name", "sex"),
        candidate_pairs=2_400,
        accepted=2_300,
        precision=SURE,
        recall_of_candidates=SURE,
        recall=UNKNOWN,
        f1=UNKNOWN,
        planted=Planted(planted=12, found=11, recall=UNKNOWN),
        prior=-13.9,
        weights=(LevelWeight(field="sex", level="equal", weight=1.0, bounded=False),),
        patterns=(Pattern(levels=("unlike", ""), accepted=False, pairs=40, odds=-8.5),),
        ladder=(Rung(acceptance=0.1, both=2_300), Rung(acceptance=0.5, both=None)),
        band=Band(low=0.1, high=0.9, pairs=20),
    )
    return QualityReport(
        format=QUALITY_FORMAT,
        round_id=RoundId("r-1"),
        acceptance=0.1,
        min_cell_count=10,
        rules=("small counts are hidden",),
        pairs=(pair,),
    )


def _changed_pair(**changes: object) -> bytes:
    document: dict[str, Any] = json.loads(_report().to_bytes())
    document["pairs"][0] |= changes
    return rfc8785.dumps(document)


def test_report_is_read_back_from_its_bytes() -> None:
    report = _report()

    assert quality_from_bytes(report.to_bytes()) == report
    assert quality_from_bytes(report.to_bytes()).to_bytes() == report.to_bytes()


def test_bytes_are_canonical_json() -> None:
    data = _report().to_bytes()

    assert rfc8785.dumps(json.loads(data)) == data


def test_another_version_is_named() -> None:
    data = rfc8785.dumps(json.loads(_report().to_bytes()) | {"format": "isthmus/quality/2"})

    with pytest.raises(UnsupportedVersion, match="isthmus/quality/2"):
        quality_from_bytes(data)


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"candidate_pairs": 9}, "smaller than its rule"),
        ({"accepted": 1}, "smaller than its rule"),
        ({"ladder": [{"acceptance": 0.1, "both": 3}]}, "smaller than its rule"),
        ({"band": {"low": 0.1, "high": 0.9, "pairs": 9}}, "smaller than its rule"),
        (
            {"patterns": [{"levels": ["unlike", ""], "accepted": True, "pairs": 9, "odds": 1.0}]},
            "smaller than its rule",
        ),
        ({"precision": {"kind": "interval", "value": 0.5, "low": 0.6, "high": 0.7}}, "does not hold its value"),
        ({"precision": {"kind": "interval", "value": 1.5, "low": 0.6, "high": 1.7}}, "1.0"),
        ({"planted": {"planted": 3, "found": 4, "recall": msgspec.to_builtins(UNKNOWN)}}, "planted"),
        ({"band": {"low": 0.9, "high": 0.9, "pairs": None}}, "no width"),
        ({"fields": ["shoe_size", "sex"]}, "field that is none"),
        ({"patterns": [{"levels": ["unlike"], "accepted": True, "pairs": 40, "odds": 1.0}]}, "level that is none"),
        (
            {"patterns": [{"levels": ["blue", "equal"], "accepted": True, "pairs": 40, "odds": 1.0}]},
            "level that is none",
        ),
        ({"patterns": [{"levels": ["unlike", ""], "accepted": True, "pairs": 40, "odds": 10.5}]}, "odds"),
        ({"weights": [{"field": "sex", "level": "blue", "weight": 1.0, "bounded": False}]}, "level that is none"),
        ({"weights": [{"field": "zip", "level": "equal", "weight": 1.0, "bounded": False}]}, "level that is none"),
        ({"row": 17}, "row"),
        ({"left": "<script>alert(1)</script>"}, "id is none"),
        ({"right": "college\u001b[2J"}, "id is none"),
        ({"right": ""}, "id is none"),
    ],
)
def test_what_no_report_can_say_is_refused(changes: dict[str, object], problem: str) -> None:
    with pytest.raises(MalformedDocument, match=problem):
        quality_from_bytes(_changed_pair(**changes))


@pytest.mark.parametrize("rule", ["", "one line\nanother", "\u001b]0;all is well\u0007", "\u202ehidden", "x" * 201])
def test_rule_that_could_paint_on_a_screen_is_refused(rule: str) -> None:
    """A report is printed as it is, on the terminals of stewards and analysts."""
    report = msgspec.structs.replace(_report(), rules=("small counts are hidden", rule))

    with pytest.raises(MalformedDocument, match="no plain sentence"):
        quality_from_bytes(report.to_bytes())


def test_rule_that_protects_nobody_is_refused() -> None:
    data = rfc8785.dumps(json.loads(_report().to_bytes()) | {"min_cell_count": 1})

    with pytest.raises(MalformedDocument, match="protects nobody"):
        quality_from_bytes(data)


def test_report_of_too_many_bytes_is_refused_unread() -> None:
    with pytest.raises(MalformedDocument, match="bytes long"):
        quality_from_bytes(b"{" * (MAX_QUALITY_BYTES + 1))


def test_report_of_another_round_is_refused() -> None:
    report = _report()

    assert quality_of_round(report.to_bytes(), report.round_id) == report
    with pytest.raises(MalformedDocument, match="another round"):
        quality_of_round(report.to_bytes(), RoundId("k12-to-work-0123456789"))
