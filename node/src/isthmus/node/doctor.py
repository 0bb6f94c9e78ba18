"""`isthmus-node doctor`: proves settings, identity, data sets, keys and connection without sending a record."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from isthmus.contract.clock import Clock
from isthmus.contract.errors import IsthmusError
from isthmus.node.client import connect
from isthmus.node.config import DatasetConfig, load_config
from isthmus.node.consent_settings import columns_needed
from isthmus.node.node import files_of_folder
from isthmus.node.sources.errors import raise_problems
from isthmus.node.sources.header import header_problems
from isthmus.node.sources.open_source import sample_source
from isthmus.party.errors import SettingsInvalid
from isthmus.party.identity import Identity, load_identity


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that was looked at: what, whether it is well, and a sentence."""

    what: str
    well: bool
    says: str


def examine(folder: Path, *, clock: Clock) -> Iterator[Finding]:
    """Give a finding for each thing that a round needs of this node; a thing that fails hides what depends on it."""
    yield _look("settings", lambda: f"{len(load_config(folder).datasets)} data set(s)")
    for name, dataset in _datasets(folder).items():
        yield _look(f"data set {name}", partial(_read_header, folder, dataset))
    yield _look("identity", lambda: f"enrolled as {_identity(folder, clock).party}")
    yield _look("keys", partial(_look_at_keys, folder, clock))
    yield _look("connection", partial(_ask, folder, clock))


def _look(what: str, look: Callable[[], str]) -> Finding:
    try:
        return Finding(what=what, well=True, says=look())
    except IsthmusError as exc:
        return Finding(what=what, well=False, says=f"{exc} [{exc.code}]")


def _datasets(folder: Path) -> Mapping[str, DatasetConfig]:
    try:
        return load_config(folder).datasets
    except SettingsInvalid:
        return {}


def _read_header(folder: Path, dataset: DatasetConfig) -> str:
    """Say how the source is read; raise a `BadInput` where it or a column of it is missing."""
    sample = sample_source(folder, dataset, rows=1)
    asked = [dataset.id_column, *dataset.columns.values(), *columns_needed(dataset.consent)]
    raise_problems(header_problems(sample.header, asked, doubtful=sample.header_is_doubtful))
    return f"{'; '.join(sample.findings)}; all {len(asked)} columns are there"


def _identity(folder: Path, clock: Clock) -> Identity:
    return load_identity(folder / "identity", now=clock.now(), files=files_of_folder(folder))


def _look_at_keys(folder: Path, clock: Clock) -> str:
    """Say how private keys lie on disk; raise where the agreement key is not there or does not open."""
    if _identity(folder, clock).agreement_key is None:
        problem = "it is not there; ask the coordinator's operator for a token and enrol again"
        raise SettingsInvalid(file="identity/agreement.key", problem=problem)
    how = load_config(folder).keys.sealed_by
    return "not sealed: readable by their owner alone" if how == "none" else f"sealed by a {how}; they open"


def _ask(folder: Path, clock: Clock) -> str:
    identity = _identity(folder, clock)
    with connect(identity) as client:
        return f"{identity.service_address} answers; {len(client.list_rounds())} round(s)"
