"""What was measured, as tables in Markdown and as a file. Pure but for the file."""

import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from statistics import fmean
from typing import Any, Final

sys.path.insert(0, str(Path(__file__).parents[2]))
# The benchmarks are no package.
from benchmarks.quality.estimate_tables import estimate_tables
from benchmarks.quality.estimated import Figure, PairEstimates
from benchmarks.quality.fairness import GroupCounts, Key, added
from benchmarks.quality.measure import Losses, Measured, Quality

HALVES: Final = ("choose", "report")
_BAR: Final = "|"


def tables(measured: Sequence[Measured]) -> str:
    """Give every table; numbers are means over the seeds, but those of groups, which are sums."""
    return "\n\n".join([
        f"F1\n\n{_by_set(measured, lambda one: one.f1, '.4f')}",
        f"false merges: entities of two people or more\n\n{_by_set(measured, lambda one: one.false_merges, '.1f')}",
        f"whole entities, F1\n\n{_by_set(measured, lambda one: one.entity_f1, '.4f')}",
        f"error of overlap counts, share of people shared\n\n{_by_set(measured, lambda one: one.overlap_error, '.4f')}",
        f"true pairs lost by stage, balanced acceptance\n\n{_losses(measured)}",
        *(f"{title}\n\n{_table(rows)}" for title, rows in estimate_tables(measured)),
        *(f"by group, half `{half}`: {way}\n\n{table}" for half in HALVES for way, table in _groups(measured, half)),
    ])  # fmt: skip


def means(measured: Sequence[Measured], value: Callable[[Quality], float]) -> dict[str, dict[str, float]]:
    """Give the mean over sets by half, then by way, of sets that have all ways; each set is the mean of its seeds."""
    ways = _ways(measured)
    rows = {
        half: [_mean_of_seeds(measured, name, value) for name in _names(measured) if _half(measured, name) == half]
        for half in HALVES
    }
    rows["all"] = [row for half in HALVES for row in rows[half]]
    whole = {half: [row for row in of_half if row.keys() >= set(ways)] for half, of_half in rows.items()}
    return {
        half: {way: fmean(row[way] for row in of_half) for way in ways} for half, of_half in whole.items() if of_half
    }


def f1_by_set(measured: Sequence[Measured]) -> dict[str, dict[str, float]]:
    """Give F1 by set and way, means over the seeds."""
    return {name: _mean_of_seeds(measured, name, lambda one: one.f1) for name in _names(measured)}


def write_measured(path: Path, measured: Sequence[Measured]) -> None:
    """Write what was measured as JSON."""
    path.write_text(json.dumps([_plain(one) for one in measured], indent=1) + "\n", "utf-8")


def read_measured(path: Path) -> list[Measured]:
    """Give what `write_measured` wrote."""
    read: list[dict[str, Any]] = json.loads(path.read_text("utf-8"))
    return [_measured(one) for one in read]


def _plain(one: Measured) -> dict[str, Any]:
    plain = asdict(one)
    for name in ("groups", "splink_groups"):
        plain[name] = [[*key, *counts.values()] for key, counts in plain[name].items()]
    return plain


def _measured(plain: Mapping[str, Any]) -> Measured:
    groups = {
        name: {(by, group): GroupCounts(true=true, linked=linked, false=false)
               for by, group, true, linked, false in plain[name]}
        for name in ("groups", "splink_groups")
    }  # fmt: skip
    return Measured(
        **{
            **plain,
            **groups,
            "rows": tuple(plain["rows"]),
            "ways": {way: Quality(**quality) for way, quality in plain["ways"].items()},
            "losses": Losses(**plain["losses"]),
            "estimates": tuple(_estimates(pair) for pair in plain.get("estimates", ())),
        }
    )


def _estimates(plain: Mapping[str, Any]) -> PairEstimates:
    figures = {quantity: Figure(**figure) for quantity, figure in plain["figures"].items()}
    return PairEstimates(**{**plain, "figures": figures})


def _names(measured: Sequence[Measured]) -> list[str]:
    return list(dict.fromkeys(one.name for one in measured))


def _ways(measured: Sequence[Measured]) -> list[str]:
    return list(dict.fromkeys(way for one in measured for way in one.ways))


def _half(measured: Sequence[Measured], name: str) -> str:
    return next(one.half for one in measured if one.name == name)


def _mean_of_seeds(measured: Sequence[Measured], name: str, value: Callable[[Quality], float]) -> dict[str, float]:
    seeds = [one.ways for one in measured if one.name == name]
    return {way: fmean(value(ways[way]) for ways in seeds) for way in seeds[0] if all(way in ways for ways in seeds)}


def _by_set(measured: Sequence[Measured], value: Callable[[Quality], float], form: str) -> str:
    ways = _ways(measured)
    rows = [("set", "half", *ways), ("---",) * (2 + len(ways))]
    for name in _names(measured):
        of_set = _mean_of_seeds(measured, name, value)
        rows.append(
            (name, _half(measured, name), *(format(of_set[way], form) if way in of_set else "" for way in ways))
        )
    for half, of_ways in means(measured, value).items():
        rows.append(("mean", half, *(format(of_ways[way], form) for way in ways)))
    return _table(rows)


def _losses(measured: Sequence[Measured]) -> str:
    stages = ("candidates", "budget", "model", "grouping", "won")
    rows = [("set", "true pairs", *stages), ("---",) * (2 + len(stages))]
    for name in _names(measured):
        seeds = [asdict(one.losses) for one in measured if one.name == name]
        rows.append((name, *(f"{fmean(one[stage] for one in seeds):.1f}" for stage in ("true", *stages))))
    return _table(rows)


def _groups(measured: Sequence[Measured], half: str) -> Iterator[tuple[str, str]]:
    of_half = [one for one in measured if one.half == half]
    for way, chosen in (("ours balanced", "groups"), ("Splink best", "splink_groups")):
        counts = added([getattr(one, chosen) for one in of_half])
        if counts:
            yield way, _group_table(counts)


def _group_table(counts: Mapping[Key, GroupCounts]) -> str:
    rows = [("by", "group", "true pairs", "recall", "false links"), ("---",) * 5]
    for (by, group), one in counts.items():
        recall = f"{one.linked / one.true:.4f}" if one.true else ""
        rows.append((by, group, str(one.true), recall, str(one.false)))
    return _table(rows)


def _table(rows: Sequence[Sequence[str]]) -> str:
    return "\n".join(f"{_BAR} {' | '.join(row)} {_BAR}" for row in rows)
