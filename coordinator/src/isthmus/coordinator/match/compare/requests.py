"""Which rows two nodes are asked about: candidates, a sample of random pairs, and places that compare nothing.

Every row of a provider stands in as many places as every other one, give or take one. Candidates come first, best
first; what is left free hides which rows have candidates. A small sample of it are random pairs, in which the model
counts how two people look. At all other free places the two nodes use different pads, so that their answers say
nothing of each other: distances between many random rows would tell who they are (decision 0026). docs/protocol.md
section 13.

What a node sees of the list is its own rows in the order of the pairs. How often each stands there is drawn before
candidates are looked at, and the order is one of all orders of these rows, each with the same chance, under a secret
key. So what a node sees depends on the numbers of rows and on the seed alone: it says nothing of candidates.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES256
from cryptography.hazmat.primitives.ciphers.modes import CTR
from numpy.typing import NDArray

from isthmus.contract.field_answers import row_numbers, same_pad, with_pads
from isthmus.contract.secret import Secret

FEWEST_SLOTS: Final = 2
"""One for a candidate, one for a random pair."""

SLOTS_OF_A_RANDOM_PAIR: Final = 8
"""One slot in so many, and one at least, is kept for random pairs: of each row, whatever its candidates are."""

ROWS_OF_A_SAMPLE_PAIR: Final = 4
FEWEST_SAMPLED, MOST_SAMPLED = 100, 5_000
"""A random pair is compared for each four rows of the larger provider, within these bounds."""

_COUNTER_BYTES: Final = 16
_WORD_BYTES: Final = 8

Rows = NDArray[np.uint32]
Places = NDArray[np.intp]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Requests:
    """What two providers are asked, place by place: arrays of shape (places,).

    `left_place` and `right_place` are uint32, a row number and which of the two pads of the place its answer takes, as
    they go to the nodes. `candidate` is bool. No candidate comes twice; a random pair may, and may even be that of a
    candidate. Raises `ValueError` where a type or a length is another, or the sides of a candidate differ in pads.
    """

    left_place: Rows
    right_place: Rows
    candidate: NDArray[np.bool_]

    def __post_init__(self) -> None:
        """Check types and lengths, and that candidates are compared."""
        if any(row.dtype != np.uint32 for row in (self.left_place, self.right_place)):
            raise ValueError("places must be uint32")
        if self.candidate.dtype != np.bool_:
            raise ValueError("whether a pair is a candidate must be bool")
        if any(each.shape != (len(self),) for each in (self.left_place, self.right_place, self.candidate)):
            raise ValueError("the arrays must have one axis and one length")
        if bool(np.any(self.candidate & ~self.compared)):
            raise ValueError("the sides of a candidate must take the same pad")

    @property
    def left_row(self) -> Rows:
        """The left provider's row at each place."""
        return row_numbers(self.left_place)

    @property
    def right_row(self) -> Rows:
        """The right provider's row at each place."""
        return row_numbers(self.right_place)

    @property
    def compared(self) -> NDArray[np.bool_]:
        """Whether both sides take the same pad, so that their answers say something of each other."""
        return same_pad(self.left_place, self.right_place)

    def __len__(self) -> int:
        """How many places there are."""
        return int(self.candidate.size)


def count_requests(rows: tuple[int, int], *, slots: int) -> int:
    """Give at how many places two providers of so many rows are asked: none if one has no rows."""
    return slots * max(rows) if all(rows) else 0


def count_sample(rows: tuple[int, int]) -> int:
    """Give how many random pairs of two providers are compared, as far as there are free places for them."""
    return min(max(max(rows) // ROWS_OF_A_SAMPLE_PAIR, FEWEST_SAMPLED), MOST_SAMPLED)


def build_requests(left_row: Rows, right_row: Rows, *, rows: tuple[int, int], slots: int, seed: Secret) -> Requests:
    """Choose what stands at the places, `count_requests` of them, and put it into a random order.

    Beside what it is given it takes some 40 bytes a place at most, and a few a row.

    Args:
        left_row, right_row: the candidates, uint32, shape (candidates,), best first, each pair once.
        rows: how many both have.
        slots: in how many pairs each row of the larger provider stands; each of the smaller one stands in as many as
            make the same number of pairs, rounded up for some rows, drawn at random, and down for others.
        seed: 32 random bytes that no node knows; they and the candidates decide everything.

    Raises:
        ValueError: fewer than `FEWEST_SLOTS` slots, a row that no provider has, or a seed of another length.
    """
    if slots < FEWEST_SLOTS:
        raise ValueError("each row needs a slot for a candidate and one for a random pair")
    if any(bool(np.any(column >= count)) for column, count in zip((left_row, right_row), rows, strict=True)):
        raise ValueError("a candidate names a row that no provider holds")
    pairs, chance = count_requests(rows, slots=slots), _Chance(seed)
    degrees = [_degrees(count, pairs, chance) for count in rows]
    taken, free = _taken(left_row, right_row, degrees)
    candidates = int(np.count_nonzero(taken))
    drawn = [
        np.repeat(np.arange(room.size, dtype=np.uint32), room)[chance.permutation(int(room.sum()))] for room in free
    ]
    order = chance.permutation(pairs)
    # Both sides of what is free are in a random order, so the first of it are as random as any.
    apart = order >= candidates + count_sample(rows)
    pad = chance.bits(pairs)
    return Requests(
        left_place=with_pads(np.concatenate([left_row[taken], drawn[0]])[order], pad),
        right_place=with_pads(np.concatenate([right_row[taken], drawn[1]])[order], pad ^ apart),
        candidate=order < candidates,
    )


def _degrees(rows: int, pairs: int, chance: "_Chance") -> Rows:
    """Give in how many of the pairs each row stands: as good as equally many."""
    if not pairs:
        return np.zeros(rows, np.uint32)
    degrees = np.full(rows, pairs // rows, np.uint32)
    degrees[chance.permutation(rows)[: pairs % rows]] += np.uint32(1)
    return degrees


def _taken(left_row: Rows, right_row: Rows, degrees: list[Rows]) -> tuple[NDArray[np.bool_], list[Rows]]:
    """Say which candidates are taken, and how many slots that leaves free of each row of both sides."""
    # numba takes half a second and 60 MB to load: only where lists are made.
    from isthmus.coordinator.match.compare.budget import take_within  # noqa: PLC0415 - as said above

    kept = [np.minimum(of, np.maximum(of // SLOTS_OF_A_RANDOM_PAIR, 1)).astype(np.uint32) for of in degrees]
    room = [of - random for of, random in zip(degrees, kept, strict=True)]
    taken = np.zeros(left_row.size, np.bool_)
    # Compiled code is made for each layout of its arguments.
    left, right = (np.require(column, np.uint32, ["C", "W"]) for column in (left_row, right_row))
    take_within(left, right, room[0], room[1], taken)
    return taken, [of + random for of, random in zip(room, kept, strict=True)]


class _Chance:
    """A stream of random numbers under a key: AES-256 in counter mode (NIST SP 800-38A), which nobody else predicts."""

    def __init__(self, seed: Secret) -> None:
        self._stream = Cipher(AES256(seed.reveal()), CTR(bytes(_COUNTER_BYTES))).encryptor()

    def permutation(self, count: int) -> Places:
        """Give the numbers below `count` in a random order: that of as many random words of 64 bits.

        Two words are equal with a chance of count^2 / 2^65; these two numbers then stay in order.
        """
        words = np.frombuffer(self._stream.update(bytes(count * _WORD_BYTES)), np.dtype("<u8"))
        return np.argsort(words, kind="stable")

    def bits(self, count: int) -> NDArray[np.bool_]:
        """Give so many random bits."""
        stream = np.frombuffer(self._stream.update(bytes(-(-count // 8))), np.uint8)
        return np.unpackbits(stream, count=count).view(np.bool_)
