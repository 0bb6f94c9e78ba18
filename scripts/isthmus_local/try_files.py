"""`scripts/try`: a whole private round on a person's own CSV files, on one machine."""

import re
import shutil
import sys
import tempfile
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import click
from isthmus_people.score import score_links, score_table

from isthmus.contract.comparison_terms import Accept, ComparisonTerms
from isthmus.contract.errors import IsthmusError
from isthmus.contract.profiles import DEFAULT_COMPARED, DEFAULT_PROFILE, PROFILE_NAMES
from isthmus.contract.standard_fields import STANDARD_FIELDS
from isthmus.node.normalise.dates import DateOrder, DateOrderGuess, infer_date_order
from isthmus.node.sources.csv_file import read_csv
from isthmus.node.sources.csv_shape import inspect_csv
from isthmus_local.evaluate import Link, links_of, read_truth, write_links
from isthmus_local.local_round import (
    LocalProvider,
    LocalRound,
    LocalSettings,
    Timeline,
    enrol_everybody,
    fetch_table,
    left_node,
    propose,
    quality_of,
    run_nodes,
    serving,
    set_up,
    with_planted,
)
from isthmus_local.processes import CommandFailed, end_on_signals
from isthmus_local.watch import watching

ID_COLUMN: Final = "rec_id"
SETTINGS: Final = frozenset({"id", "title", "purpose", "reveal", "threshold", "min_cell_count"})
"""What a file given with --project may set; providers and fields come from the CSV files."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedFile:
    """A file as the command line names it."""

    name: str
    path: Path


class NamedFileType(click.ParamType[NamedFile]):
    """NAME=FILE.csv."""

    name = "NAME=FILE.csv"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> NamedFile:
        """Give the name and the path; fail where there is no `=`, or no such file."""
        name, sign, path = str(value).partition("=")
        if not sign or not name or not path:
            self.fail(f"{value!r} is not of the form NAME=FILE.csv", param, ctx)
        if not Path(path).is_file():
            self.fail(f"there is no file {path!r}", param, ctx)
        return NamedFile(name=name, path=Path(path))


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), required=True, help="Folder for the results.")
@click.option(
    "--profile",
    type=click.Choice(PROFILE_NAMES),
    help=f"How rows are encoded (default: {DEFAULT_COMPARED}, with a threshold {DEFAULT_PROFILE}). interop-1 is the"
    " fastest to compare; on one machine there is nobody to hide them from.",
)
@click.option("--project", default="try-out", show_default=True, help="A project's id, or a TOML file with settings.")
@click.option(
    "--accept",
    type=click.Choice([accept.value for accept in Accept]),
    default=Accept.BALANCED.value,
    show_default=True,
    help="From which probability rows may link: strict has fewer false links and misses more.",
)
@click.option(
    "--threshold", help="Compare no fields: rows may link from this score (interop-1: similarity), such as 0.85."
)
@click.option("--truth", type=click.Path(path_type=Path, exists=True, dir_okay=False), help="holder,rec_id,entity_id")
@click.option("--dates", type=click.Choice([order.value for order in DateOrder]), help="Order of year, month and day.")
@click.option("--encoder", type=click.Choice(["isthmus", "clkhash"]), default="isthmus", show_default=True)
@click.option("--keep", is_flag=True, help="Keep the folders of coordinator and nodes in DIR.")
@click.argument("files", nargs=-1, required=True, type=NamedFileType())
def main(
    out: Path,
    profile: str | None,
    project: str,
    accept: str,
    threshold: str | None,
    truth: Path | None,
    dates: str | None,
    encoder: str,
    keep: bool,
    files: tuple[NamedFile, ...],
) -> None:
    """Link your own CSV files privately on this machine: one provider for each file, and a coordinator.

    Columns go by the standard names, any subset in each file, at least two in common: rec_id, first_name, middle_name,
    last_name, dob, birth_year, sex, street_number, street_name, city, state, zip, phone, ssn. Other columns are not
    read. Writes DIR/links.csv (party,rec_id,link_id: a row for each record that linked; only possible because all
    sides are you) and DIR/counts.csv (small counts hidden). With --truth it prints precision, recall and F1.

    \b
    Example:
      scripts/try --out result schools=students.csv colleges=enrolments.csv --truth truth.csv
    """
    end_on_signals()
    try:
        _check_outputs(out, [*(one.path for one in files), *([truth] if truth else [])])
        known = list(read_truth(truth)) if truth else None
        if known is not None:
            _check_holders({holder for holder, _, _ in known}, given={one.name for one in files})
        settings = _settings(project, profile=profile, accept=accept, threshold=threshold, encoder=encoder)
        names, providers = _providers(files, date_order=dates)
        links = _run(out, with_planted(settings, providers), providers, names=names, keep=keep)
        if known is not None:
            _tell_scores(links, known, given={one.name for one in files})
    except IsthmusError as exc:
        click.echo(f"isthmus: {exc} [{exc.code}]", err=True)
        sys.exit(exc.spec.exit_code)
    except KeyboardInterrupt:
        click.echo("isthmus: interrupted; nothing is kept, run it again to start afresh", err=True)
        sys.exit(130)
    except (CommandFailed, ValueError, OSError) as exc:
        click.echo(f"isthmus: {exc}", err=True)
        sys.exit(4)


def _run(
    out: Path, settings: LocalSettings, providers: Sequence[LocalProvider], *, names: dict[str, str], keep: bool
) -> list[Link]:
    out.mkdir(parents=True, exist_ok=True)
    work = Path(tempfile.mkdtemp(dir=out, prefix="work-"))  # a folder of our own: nobody's files are in it
    local = LocalRound(folder=work, providers=providers, settings=settings, timeline=Timeline())
    local.timeline.note("setting up")
    try:
        with watching() as report:
            set_up(local, report=report)
            with serving(local) as coordinator:
                enrol_everybody(local, report=report)
                round_id = propose(local, report=report)
                run_nodes(local, round_id, coordinator=coordinator, report=report)
                counts, text = fetch_table(local, round_id, "--csv"), fetch_table(local, round_id)
                quality = quality_of(local, round_id)
                _tell_quality(local, round_id, names)
        links = [(names[party], record, link) for party, record, link in links_of(local, round_id)]
    finally:
        if keep:
            click.echo(f"kept {work}", err=True)
        else:
            shutil.rmtree(work)
    (out / "counts.csv").write_text(counts, "utf-8")
    write_links(out / "links.csv", links)
    _tell(out, local, links, f"{text}\n\n{quality}".rstrip())
    return links


def _check_outputs(out: Path, inputs: Sequence[Path]) -> None:
    """Refuse to write a result over a file that is read."""
    results = {(out / "links.csv").resolve(), (out / "counts.csv").resolve()}
    for path in inputs:
        if path.resolve() in results:
            message = f"{path} would be overwritten by the result; choose another --out"
            raise ValueError(message)


def _check_holders(holders: set[str], *, given: set[str]) -> None:
    """Say before the round which holders of the truth and names of files do not fit; refuse if fewer than two do.

    Scores are of links between files that the truth knows: with one of them or none there is nothing to score.
    """
    if len(holders & given) < 2:
        message = (
            f"fewer than two of the names that you gave are holders of the truth, so nothing could be scored: "
            f"you gave {', '.join(sorted(given))}; it has {', '.join(sorted(holders))}. Name the files as it does"
        )
        raise ValueError(message)
    if given - holders:
        click.echo(f"not in the truth, so not scored: {', '.join(sorted(given - holders))}", err=True)
    if holders - given:
        click.echo(f"in the truth but not given, so left out: {', '.join(sorted(holders - given))}", err=True)


def _tell_scores(links: Sequence[Link], known: Sequence[Link], *, given: set[str]) -> None:
    """Score against the truth about the files that were given."""
    holders = {holder for holder, _, _ in known}
    about = [row for row in known if row[0] in given]
    click.echo(score_table(score_links([row for row in links if row[0] in holders], about)))


def _tell_quality(local: LocalRound, round_id: str, names: dict[str, str]) -> None:
    """Say what was missing, damaged or too little, file by file."""
    for provider in local.providers:
        left = left_node(local, provider.party, round_id)
        noted = [
            f"{field} {count:,} {what}"
            for field, counts in left["quality"].items()
            for what, count in counts.items()
            if count
        ]
        if left["too_little_to_link"]:
            noted.append(f"{left['too_little_to_link']:,} rows hold too little to link")
        click.echo(f"{names[provider.party]}: {', '.join(noted) or 'no value is missing or damaged'}")
    click.echo("")


def _tell(out: Path, local: LocalRound, links: Sequence[Link], table: str) -> None:
    click.echo(table)
    click.echo("")
    click.echo("How long each stage took:")
    for name, seconds in local.timeline.spans():
        click.echo(f"  {name:14} {seconds:8.1f} s")
    click.echo("")
    click.echo(f"{out / 'links.csv'}  {len(links):,} records that linked; those with the same link_id are one person")
    click.echo(f"{out / 'counts.csv'}  the table above")


def _settings(project: str, *, profile: str | None, accept: str, threshold: str | None, encoder: str) -> LocalSettings:
    if threshold is not None and re.fullmatch(r"0\.[1-9][0-9]{0,3}|1\.0{1,4}", threshold) is None:
        raise ValueError('--threshold is a similarity from 0.1 to 1.0, such as "0.85"')
    given = _project_file(Path(project)) if project.endswith(".toml") else {"id": project}
    threshold = threshold or given.get("threshold")
    return LocalSettings(
        project=str(given.get("id", "try-out")),
        title=str(given.get("title", "Try-out")),
        purpose=str(given.get("purpose", "Trying Isthmus on one's own files, all on one machine")),
        reveal=str(given.get("reveal", "linked")),
        threshold=threshold,
        comparison=None if threshold else ComparisonTerms(accept=Accept(accept)),
        min_cell_count=int(given.get("min_cell_count", 10)),
        encoder=encoder,
        profile=profile or (DEFAULT_PROFILE if threshold else DEFAULT_COMPARED),
    )


def _project_file(path: Path) -> dict[str, Any]:
    try:
        given = tomllib.loads(path.read_text("utf-8"))
    except (OSError, tomllib.TOMLDecodeError) as exc:
        message = f"the project file cannot be read: {exc}"
        raise ValueError(message) from exc
    unknown = sorted(set(given) - SETTINGS - {"format"})
    if unknown:
        message = f"a try-out's project file may set {', '.join(sorted(SETTINGS))}; not {', '.join(unknown)}"
        raise ValueError(message)
    return given


def _providers(files: Sequence[NamedFile], *, date_order: str | None) -> tuple[dict[str, str], list[LocalProvider]]:
    """Give party id -> the name on the command line, and the providers."""
    if len(files) < 2 or len({one.name for one in files}) != len(files):
        raise ValueError("give two or more files, each under a name of its own: NAME=FILE.csv")
    click.echo("reading the files ...", err=True)
    names = dict(zip(_party_ids([one.name for one in files]), (one.name for one in files), strict=True))
    providers = [_provider(party, one, date_order=date_order) for party, one in zip(names, files, strict=True)]
    common = set.intersection(*(set(provider.columns) for provider in providers))
    if len(common) < 2:
        raise ValueError("the files have fewer than two standard columns in common, which is too few to link by")
    click.echo(f"encoded: {', '.join(name for name in STANDARD_FIELDS if name in common)}", err=True)
    return names, providers


def _provider(party: str, named: NamedFile, *, date_order: str | None) -> LocalProvider:
    try:
        return _read_provider(party, named, date_order=date_order)
    except IsthmusError as exc:
        message = f"{named.name} ({named.path}): {exc} [{exc.code}]"
        raise ValueError(message) from exc


def _not_read(header: Mapping[str, str]) -> str:
    """Which columns have no standard name, for one that is misspelt would else be missed in silence."""
    others = [column for name, column in header.items() if name not in STANDARD_FIELDS and name != ID_COLUMN]
    return f"; not read, for these are no standard names: {', '.join(others)}" if others else ""


def _read_provider(party: str, named: NamedFile, *, date_order: str | None) -> LocalProvider:
    shape = inspect_csv(named.path)
    header = {_standard_name(column): column for column in shape.header}
    if len(header) < len(shape.header):
        message = f"{named.path} has two columns of one name, but for capitals and spaces; rename or remove one"
        raise ValueError(message)
    if ID_COLUMN not in header:
        why = f"it has no column {ID_COLUMN}; rename the one that tells rows apart, or add one"
        message = f"{named.name} ({named.path}): {why}"
        raise ValueError(message)
    columns = {name: header[name] for name in STANDARD_FIELDS if name in header}
    id_column = header[ID_COLUMN]
    records = read_csv(named.path, columns=columns, id_column=id_column)
    guess = infer_date_order(records.columns.get("dob", []))
    order = DateOrder(date_order) if date_order else guess.order
    findings = "; ".join(records.source.findings)
    dates = f"; dates read as {order.value}" if "dob" in columns else ""
    if not date_order and _is_doubtful(guess, records.columns.get("dob", [])):
        dates += " (a guess: no date decides; --dates says which)"
    click.echo(f"{named.name}: {records.source.rows:,} rows; {findings}{dates}{_not_read(header)}", err=True)
    return LocalProvider(
        party=party,
        name=named.name,
        kind="programme",
        file=named.path,
        id_column=id_column,
        columns=columns,
        rows=records.source.rows,
        date_order=order.value,
    )


def _is_doubtful(guess: DateOrderGuess, values: Sequence[str]) -> bool:
    """Say whether dates that end in the year are read by guess: as many of them are real in another order."""
    year_last = any(re.match(r"\s*[0-9]{1,2}[-/. ]", value) for value in values)
    return year_last and guess.valid[DateOrder.MDY] == guess.valid[DateOrder.DMY]


def _standard_name(column: str) -> str:
    """Give a header's name as the standard names are written: `First Name` is `first_name`."""
    return re.sub(r"[ -]+", "_", column.strip().lower())


def _party_ids(names: Sequence[str]) -> list[str]:
    """Give a lawful party id for each name, as like it as can be; a number keeps two of them apart."""
    slugs = [re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:30].strip("-") for name in names]
    lawful = [
        slug if len(slug) > 1 and slug[0].isalpha() else f"p-{slug}".strip("-") + "x" * (not slug) for slug in slugs
    ]
    return [slug if lawful.count(slug) == 1 else f"{slug}-{place}" for place, slug in enumerate(lawful, start=1)]


if __name__ == "__main__":
    main(prog_name="scripts/try")
