"""febrl4, 5,000 records against 5,000, through a whole round with real processes."""

import csv
from pathlib import Path

import pytest
from isthmus_local.evaluate import links_of
from isthmus_local.local_round import (
    LocalProvider,
    LocalRound,
    LocalSettings,
    Timeline,
    enrol_everybody,
    propose,
    run_nodes,
    serving,
    set_up,
)
from isthmus_people.febrl import FebrlFile, febrl4_columns
from isthmus_people.score import score_links

pytestmark = [pytest.mark.process, pytest.mark.slow]


# What hardened-1 gives up in recall, and for what: docs/decisions/0015-match-keys.md.
@pytest.mark.parametrize(("profile", "least_recall"), [("interop-1", 0.995), ("hardened-1", 0.985)])
def test_febrl4_links_as_precisely_and_fully_as_the_profile_promises(
    tmp_path: Path, profile: str, least_recall: float
) -> None:
    files = dict(zip(("febrl-a", "febrl-b"), febrl4_columns(), strict=True))
    providers = [provider(tmp_path, party, file) for party, file in files.items()]
    settings = LocalSettings(
        project="febrl4", title="febrl4", purpose="Measuring accuracy on published data", profile=profile
    )
    local = LocalRound(folder=tmp_path / "round", providers=providers, settings=settings, timeline=Timeline())
    set_up(local)
    with serving(local) as coordinator:
        enrol_everybody(local)
        round_id = propose(local)
        run_nodes(local, round_id, coordinator=coordinator, report=lambda *_: None)
    truth = [
        (party, record, entity)
        for party, file in files.items()
        for record, entity in zip(file.ids, file.entities, strict=True)
    ]
    scores = score_links(links_of(local, round_id), truth).overall
    assert scores.true == 5000
    assert scores.precision >= 0.995
    assert scores.recall >= least_recall


def provider(folder: Path, party: str, file: FebrlFile) -> LocalProvider:
    path = folder / f"{party}.csv"
    with path.open("w", encoding="utf-8", newline="") as opened:
        writer = csv.writer(opened)
        writer.writerow(["rec_id", *file.columns])
        writer.writerows(zip(file.ids, *file.columns.values(), strict=True))
    columns = {field: field for field in file.columns}
    return LocalProvider(party=party, name=party, kind="programme", file=path, id_column="rec_id", columns=columns)
