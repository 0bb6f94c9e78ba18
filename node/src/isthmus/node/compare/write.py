"""Answers for all pairs with one other provider, chunk after chunk as they are sent, in bounded memory."""

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from isthmus.contract.comparison import Comparison
from isthmus.contract.field_answers import answers_per_chunk, pad_numbers, row_numbers
from isthmus.contract.ids import RandomBytes
from isthmus.node.compare.answers import Answers, Bytes, Side
from isthmus.node.compare.field_file import FieldFile
from isthmus.node.compare.pads import PadKeys

PAIRS_AT_A_TIME: Final = 2048
"""What is made at a time: its random order of bits and its pads fit into a core's cache."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class AnswerWriter:
    """What a node needs to answer for its pairs with one other provider; `random_bytes` is called by `threads`."""

    comparison: Comparison
    file: FieldFile
    keys: PadKeys
    side: Side
    random_bytes: RandomBytes
    threads: int

    def chunks(self, rows: NDArray[np.uint32], *, done: Callable[[int], None]) -> Iterator[bytes]:
        """Give the chunks of answers for pairs 0, 1 and so on; `done` is told how many pairs there are answers for.

        Args:
            rows: uint32, shape (pairs,): this provider's row in each pair and its pad, as `pad_numbers` reads them.
            done: told after each chunk.
        """
        size = answers_per_chunk(self.comparison.answer_bytes)
        with ThreadPoolExecutor(self.threads) as pool:
            running: deque[Future[bytes]] = deque()
            given = 0
            for start in range(0, len(rows), size):
                running.append(pool.submit(self._chunk, rows[start : start + size], start))
                if len(running) > self.threads:
                    yield running.popleft().result()
                    given += size
                    done(given)
            while running:
                yield running.popleft().result()
                given += size
                done(min(given, len(rows)))

    def _chunk(self, rows: NDArray[np.uint32], first: int) -> bytes:
        starts = range(0, len(rows), PAIRS_AT_A_TIME)
        return b"".join([self._some(rows[at : at + PAIRS_AT_A_TIME], first + at).tobytes() for at in starts])

    def _some(self, rows: NDArray[np.uint32], first: int) -> Bytes:
        answers = Answers(
            comparison=self.comparison,
            rows=self.file.take(row_numbers(rows)),
            keys=self.keys,
            side=self.side,
            random_bytes=self.random_bytes,
        )
        return answers.of(np.arange(len(rows), dtype=np.uint32), numbers=pad_numbers(rows, first=first))
