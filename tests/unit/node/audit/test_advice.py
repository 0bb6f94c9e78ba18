"""What a provider is told to make of the figures, and to do."""

import pytest

from isthmus.contract.hardened import HARDENED_1, HARDENED_2, HARDENED_SINGLE_1
from isthmus.contract.profile import INTEROP_1
from isthmus.node.audit.advice import ENOUGH_ROWS, next_steps, verdict
from isthmus.node.audit.attack import AttackResult


def _found(right: int, variant: str = "joined") -> AttackResult:
    return AttackResult(
        variant=variant, known=20, candidates=1000, attacked=1000, right=right, claimed=0, claimed_right=0, seconds=1.0
    )


def _steps(profile: str, right: int, *, rows: int = ENOUGH_ROWS, tables: tuple[AttackResult, ...] = ()) -> str:
    return "\n".join(next_steps(profile=profile, rows=rows, worst=_found(right), tables=tables))


@pytest.mark.parametrize(
    ("right", "many"), [(0, "few"), (10, "few"), (11, "some"), (100, "some"), (101, "many"), (500, "many"),
                        (501, "most"), (1000, "most")],
)  # fmt: skip
def test_result_is_a_word_for_how_many_are_recognised(right: int, many: str) -> None:
    assert verdict(_found(right))[0].startswith(f"{many} people are recognised: {right / 10:.1f} %")


def test_result_of_few_claims_no_safety() -> None:
    assert "no proof of safety" in verdict(_found(0))[1]


@pytest.mark.parametrize(
    ("profile", "offered"), [(INTEROP_1, {"hardened-1.", "hardened-single-1."}), (HARDENED_1, {"hardened-single-1."}),
                             (HARDENED_2, {"hardened-single-1."}),
                             (HARDENED_SINGLE_1, set())],
)  # fmt: skip
def test_steps_offer_the_profiles_that_give_away_less(profile: str, offered: set[str]) -> None:
    steps = _steps(profile, 900)

    assert {word for word in steps.split() if word.startswith("hardened-") and word.endswith(".")} == offered
    assert "Leave out fields" in steps


def test_steps_name_the_table_that_is_read_best() -> None:
    tables = (_found(120, "table last-birth"), _found(300, "table first-birth"))

    assert "table first-birth is read best (30.0 %)" in _steps(HARDENED_1, 900, tables=tables)
    assert "is read best" not in _steps(INTEROP_1, 900, tables=(_found(900, "table all"),))


@pytest.mark.parametrize(("right", "percent"), [(5, 1), (50, 10), (400, 10), (900, 10)])
def test_steps_name_a_limit_to_set(right: int, percent: int) -> None:
    assert f"audit_limit_percent = {percent} " in _steps(HARDENED_1, right)


def test_steps_change_nothing_where_few_are_recognised() -> None:
    assert "Choose" not in _steps(HARDENED_1, 10)
    assert "Leave out" not in _steps(HARDENED_1, 10)


def test_steps_ask_for_more_records_where_they_are_few() -> None:
    assert "Only 1,999 records were attacked" in _steps(HARDENED_1, 10, rows=ENOUGH_ROWS - 1)
    assert "records were attacked" not in _steps(HARDENED_1, 10)
