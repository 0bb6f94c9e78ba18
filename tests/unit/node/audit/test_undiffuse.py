"""Undoing the diffusion of a table: not with few rows; and what is known of the filters afterwards."""

import numpy as np
import pytest
from unit.node.audit.audit_parts import SINGLE, synthetic_columns

from isthmus.node.audit.attack import carry_out, plan_attack, study_population
from isthmus.node.audit.undiffuse import UNDIFFUSED, study_filters, undo_diffusion
from isthmus.node.audit.vectors import centred, encode_tables, undiffused_tables


def test_few_rows_do_not_undo_diffusion() -> None:
    rng = np.random.default_rng(1)
    encoded = encode_tables(synthetic_columns(80), profile=SINGLE, random_bytes=rng.bytes)
    found = undo_diffusion(encoded, profile=SINGLE, rng=rng, report=lambda _stage, _done, _total: None)

    assert found.filters is None
    assert (found.rank, found.columns) == (80, 0)


@pytest.mark.slow
def test_undone_filters_fall_as_plain_clks_do() -> None:
    columns, rng = synthetic_columns(300), np.random.default_rng(2)
    study = study_population(columns, profile=SINGLE, rng=rng)
    knowledge = study_filters(columns, study, profile=SINGLE, rng=rng)
    # What undoing gives: the filters under the owner's key, their bits in another order.
    owned = undiffused_tables(columns, profile=SINGLE, random_bytes=rng.bytes)["all"]
    bits = np.unpackbits(owned.packed, axis=1)[:, rng.permutation(1024)[:950]]
    plan = plan_attack(knowledge, UNDIFFUSED, rng=rng)
    undone = {"all": centred(np.packbits(bits, axis=1))}
    found = carry_out(plan, knowledge, undone, known=20, rng=rng, timer=lambda: 0.0)

    assert found.variant == "undiffused"
    assert found.percent > 90
