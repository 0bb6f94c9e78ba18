"""Matching against plain programs that share no code with it."""

from itertools import combinations, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from isthmus.contract.ids import PartyId
from isthmus.coordinator.match import ENGINES
from isthmus.coordinator.match.encodings import Dataset
from isthmus.coordinator.match.engine import CandidatePairs
from isthmus.coordinator.match.group import group_rows
from isthmus.coordinator.match.overlap import membership_patterns

THRESHOLDS = st.one_of(
    st.floats(0.5, 1.0), st.sampled_from([0.5, 0.6, 2 / 3, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95, 0.99, 1.0])
)
Link = tuple[float, int, int, int, int]
Member = tuple[int, int]


@st.composite
def datasets(draw: st.DrawFn) -> list[Dataset]:
    """Two or three small files of near-copies of few rows, with empty and equal rows among them."""
    clk_bytes = draw(st.sampled_from([8, 9, 12, 16, 64, 128, 256]))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    models = rng.random((4, clk_bytes * 8)) < rng.choice([0.1, 0.4, 0.8], (4, 1))
    noise = draw(st.sampled_from([0.0, 0.05, 0.2]))
    files = []
    for party, size in enumerate(draw(st.lists(st.integers(0, 9), min_size=2, max_size=3))):
        rows = models[rng.integers(0, 4, size)] ^ (rng.random((size, clk_bytes * 8)) < noise)
        rows[rng.random(size) < 0.15] = False
        files.append(Dataset(party=PartyId(f"college-{party}"), clks=np.packbits(rows, axis=1)))
    return files


def plain_pairs(files: list[Dataset], threshold: float) -> list[Link]:
    """Every pair that qualifies, one after the other."""
    found = []
    bits = [[set(np.flatnonzero(row)) for row in np.unpackbits(file.clks, axis=1)] for file in files]
    for (a, left), (b, right) in combinations(enumerate(bits), 2):
        for (i, x), (j, y) in product(enumerate(left), enumerate(right)):
            score = 2 * len(x & y) / (len(x) + len(y)) if x or y else 0.0
            if score >= threshold:
                found.append((score, a, b, i, j))
    return sorted(found, key=lambda pair: (-pair[0], *pair[1:]))


def plain_groups(pairs: list[Link]) -> set[frozenset[Member]]:
    """Best pair first, two groups join when all pairs between them are known to be candidates by then."""
    group: dict[Member, frozenset[Member]] = {}
    seen: set[frozenset[Member]] = set()
    for _, a, b, i, j in pairs:
        left, right = (a, i), (b, j)
        seen.add(frozenset({left, right}))
        one, other = (group.setdefault(member, frozenset({member})) for member in (left, right))
        if one != other and all(frozenset(pair) in seen for pair in product(one, other)):
            group.update(dict.fromkeys(one | other, one | other))
    return {members for members in group.values() if len(members) > 1}


def listed(pairs: CandidatePairs) -> list[Link]:
    """The pairs as tuples of Python numbers."""
    columns = (pairs.similarity, pairs.left_dataset, pairs.right_dataset, pairs.left_row, pairs.right_row)
    return list(zip(*(column.tolist() for column in columns), strict=True))


def compare(files: list[Dataset], threshold: float, engine_name: str = "anonlink") -> CandidatePairs:
    """What the engine gives."""
    engine = ENGINES[engine_name](workers=1, max_pairs=10_000)
    return engine.candidate_pairs(files, threshold=threshold, progress=lambda *_: None)


@pytest.mark.parametrize("engine_name", ENGINES)
@settings(max_examples=50, deadline=None)
@given(files=datasets(), threshold=THRESHOLDS)
def test_engine_gives_what_a_plain_comparison_gives(engine_name: str, files: list[Dataset], threshold: float) -> None:
    assert listed(compare(files, threshold, engine_name)) == plain_pairs(files, threshold)


@pytest.mark.parametrize("engine_name", ENGINES)
@settings(max_examples=150, deadline=None)
@given(
    few=st.integers(1, 512), more=st.integers(0, 512), common=st.integers(0, 512), swap=st.booleans(), up=st.booleans()
)
def test_a_pair_exactly_on_the_threshold_qualifies(
    engine_name: str, few: int, more: int, common: int, swap: bool, up: bool
) -> None:
    common = min(common, few)
    more = max(more, common)
    score = 2 * common / (few + more)
    if score < 0.5 or few + more - common > 1024:
        return
    left, right = np.zeros((1, 1024), bool), np.zeros((1, 1024), bool)
    left[0, :few] = True
    right[0, few - common : few - common + more] = True
    sides = (right, left) if swap else (left, right)
    files = [Dataset(party=PartyId("city"), clks=np.packbits(side, axis=1)) for side in sides]
    threshold = min(np.nextafter(score, 2.0), 1.0) if up else score
    assert len(compare(files, threshold, engine_name)) == (score >= threshold)


@settings(max_examples=50, deadline=None)
@given(files=datasets(), threshold=THRESHOLDS)
def test_groups_are_those_of_the_plain_solver(files: list[Dataset], threshold: float) -> None:
    pairs, sizes = compare(files, threshold), [file.rows for file in files]
    groups = group_rows(pairs, sizes=sizes)
    members: dict[int, set[Member]] = {}
    for entity, dataset, row in zip(groups.entity, groups.dataset, groups.row, strict=True):
        members.setdefault(int(entity), set()).add((int(dataset), int(row)))
    found = {frozenset(entity) for entity in members.values()}
    assert found == plain_groups(listed(pairs))
    assert sum(map(len, found)) == len(set().union(*found)) == len(groups)
    assert all(len({dataset for dataset, _ in entity}) == len(entity) >= 2 for entity in found)
    assert [min(members[entity]) for entity in sorted(members)] == sorted(min(entity) for entity in found)
    again = group_rows(pairs, sizes=sizes)
    assert again.row.tobytes() == groups.row.tobytes()
    patterns = membership_patterns(groups, sizes=sizes)
    for dataset, size in enumerate(sizes):
        assert sum(count for pattern, count in patterns.items() if dataset in pattern) == size
