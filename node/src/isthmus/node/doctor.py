"""`isthmus-node doctor`: proves settings, identity, data sets, keys and connection without sending a record."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path

from isthmus.contract.clock import Clock
from isthmus.contract.errors import IsthmusError
from isthmus.node.client import connect
from isthmus.node.config import DatasetConfig, NodeConfig, load_config
from isthmus.node.consent.read import count_taking_part
from isthmus.node.consent_settings import columns_needed
from isthmus.node.errors import NobodyTakesPart
from isthmus.node.faults import typed_fault
from isthmus.node.keys.folder import private_files
from isthmus.node.node import files_of
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
    """Give a finding for each thing that a round needs of this node, each as soon as it was looked at.

    Settings and identity are read once, since each private key that is sealed by a passphrase takes its time to open;
    what they are needed for is not looked at where they fail.
    """
    config = cache(partial(load_config, folder))
    identity = cache(lambda: load_identity(folder / "identity", now=clock.now(), files=files_of(config())))
    yield (settings := _look("settings", lambda: f"{len(config().datasets)} data set(s)"))
    if not settings.well:
        return
    for name, dataset in config().datasets.items():
        yield (header := _look(f"data set {name}", partial(_read_header, folder, dataset)))
        if header.well and (consent := _look(f"consent in {name}", partial(_count, folder, dataset, clock))).says:
            yield consent
    yield (enrolled := _look("identity", lambda: f"enrolled as {identity().party}"))
    if enrolled.well:
        yield _look("keys", lambda: _look_at_keys(folder, config(), identity()))
        yield _look("connection", lambda: _ask(identity()))


def _look(what: str, look: Callable[[], str]) -> Finding:
    try:
        return Finding(what=what, well=True, says=look())
    except (IsthmusError, OSError) as exc:
        error = typed_fault(exc)
        return Finding(what=what, well=False, says=f"{error} [{error.code}]")


def _read_header(folder: Path, dataset: DatasetConfig) -> str:
    """Say how the source is read; raise a `BadInput` where it or a column of it is missing."""
    sample = sample_source(folder, dataset, rows=1)
    asked = [dataset.id_column, *dataset.columns.values(), *columns_needed(dataset.consent)]
    raise_problems(header_problems(sample.header, asked, doubtful=sample.header_is_doubtful))
    return f"{'; '.join(sample.findings)}; all {len(asked)} columns are there"


def _count(folder: Path, dataset: DatasetConfig, clock: Clock) -> str:
    """Say who takes part, nothing where all do always; raise `NobodyTakesPart` where nobody does in some project."""
    counts = count_taking_part(folder, dataset, now=clock.now())
    for one in counts:
        if not one.taking_part:
            raise NobodyTakesPart(grounds=one.left_out)
    return " | ".join(
        f"{one.project or 'any project'}: {one.taking_part:,} of {one.rows:,} rows take part"
        + (f" ({'; '.join(one.left_out)})" if one.left_out else "")
        for one in counts
    )


def _look_at_keys(folder: Path, config: NodeConfig, identity: Identity) -> str:
    """Say how private keys lie on disk; raise where the agreement key is not there, or others may read one."""
    if identity.agreement_key is None:
        problem = "it is not there; ask the coordinator's operator for a token and enrol again"
        raise SettingsInvalid(file="identity/agreement.key", problem=problem)
    for path, _ in private_files(folder):
        if path.stat().st_mode & 0o077:
            problem = f"others on this machine may read it; close it: chmod 600 {path}"
            raise SettingsInvalid(file=f"{path.parent.name}/{path.name}", problem=problem)
    how = config.keys.sealed_by
    return "not sealed: readable by their owner alone" if how == "none" else f"sealed by a {how}; they open"


def _ask(identity: Identity) -> str:
    with connect(identity) as client:
        return f"{identity.service_address} answers; {len(client.list_rounds())} round(s)"
