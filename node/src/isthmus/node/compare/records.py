"""Row fields as bytes: one record of fixed width for each row, encrypted as it lies on disk.

A vector of digits shows a birth date or a number to whoever reads it. So a record is never written but under AES-256
in counter mode (NIST SP 800-38A), with the row's handle as first counter, under a key of the round and of this time
that rows are prepared: handles may come back, so a second preparation must not meet the key stream of the first.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES256
from cryptography.hazmat.primitives.ciphers.modes import ECB
from numpy.typing import NDArray

from isthmus.contract.comparison import BandPart, Comparison, TagPart, VectorPart
from isthmus.contract.ids import HANDLE_BYTES
from isthmus.contract.secret import Secret
from isthmus.node.compare.pads import AES_BLOCK
from isthmus.node.compare.row_fields import RowFields

Bytes = NDArray[np.uint8]


@dataclass(frozen=True, kw_only=True)
class RecordLayout:
    """Where the vectors, numbers and presence of one row lie in its record: what `comparison` asks for."""

    comparison: Comparison

    @cached_property
    def vectors(self) -> tuple[VectorPart, ...]:
        """The vector parts."""
        return tuple(part for part in self.comparison.parts if isinstance(part, VectorPart))

    @cached_property
    def numbers(self) -> tuple[tuple[str, str], ...]:
        """The (kind, value) pairs of tags and bands, each once."""
        return tuple(dict.fromkeys(self._values()))

    @cached_property
    def present(self) -> tuple[str, ...]:
        """The vector parts and values that a row may lack, each once."""
        return tuple(dict.fromkeys([*(part.name for part in self.vectors), *(value for _, value in self.numbers)]))

    @cached_property
    def dtype(self) -> np.dtype[np.void]:
        """A record in memory; its size is a multiple of 16 bytes."""
        fields = [
            ("present", np.uint8, (-(-len(self.present) // 8),)),
            *((f"vector {part.name}", np.uint8, (part.answer_bytes,)) for part in self.vectors),
            *((f"number {kind} {value}", "<u4") for kind, value in self.numbers),
        ]
        packed = np.dtype(fields)
        return np.dtype([*fields, ("filled", np.uint8, (-packed.itemsize % AES_BLOCK,))])

    @property
    def sealed_bytes(self) -> int:
        """How many bytes a row takes on disk: its handle and its encrypted record."""
        return HANDLE_BYTES + self.dtype.itemsize

    def _values(self) -> Iterator[tuple[str, str]]:
        for part in self.comparison.parts:
            if isinstance(part, TagPart):
                yield part.kind, part.left
                yield part.kind, part.right
            elif isinstance(part, BandPart):
                yield part.kind, part.value


def seal_records(rows: RowFields, handles: Bytes, layout: RecordLayout, key: Secret) -> Bytes:
    """Give the encrypted records of rows.

    Args:
        rows: what `layout` asks for, of n rows.
        handles: uint8, shape (n, 16), no two alike, never used under this key before.
        layout: which parts.
        key: 32 bytes, of the round, for this use only.

    Returns:
        uint8, shape (n, layout.dtype.itemsize).
    """
    records = np.zeros(len(handles), layout.dtype)
    flags = np.stack([rows.present[name] for name in layout.present], axis=1)
    records["present"] = np.packbits(flags, axis=1)
    for part in layout.vectors:
        records[f"vector {part.name}"] = rows.vectors[part.name]
    for kind, value in layout.numbers:
        records[f"number {kind} {value}"] = rows.numbers[kind, value]
    sealed: Bytes = records.view(np.uint8).reshape(len(records), -1) ^ _key_stream(key, handles, layout)
    return sealed


def open_records(sealed: Bytes, layout: RecordLayout, key: Secret) -> RowFields:
    """Give what was sealed, without bands, which only all rows together have.

    Args:
        sealed: uint8, shape (n, layout.sealed_bytes): handles and encrypted records.
        layout: as it was sealed.
        key: as it was sealed.
    """
    plain = sealed[:, HANDLE_BYTES:] ^ _key_stream(key, sealed[:, :HANDLE_BYTES], layout)
    records = np.ascontiguousarray(plain).view(layout.dtype).reshape(-1)
    flags = np.unpackbits(records["present"], axis=1, count=len(layout.present)).astype(np.bool_)
    return RowFields(
        vectors={part.name: records[f"vector {part.name}"] for part in layout.vectors},
        numbers={(kind, value): records[f"number {kind} {value}"].astype(np.uint64) for kind, value in layout.numbers},
        bands={},
        present={name: flags[:, place] for place, name in enumerate(layout.present)},
    )


def _key_stream(key: Secret, handles: Bytes, layout: RecordLayout) -> Bytes:
    """Give the stream of counter mode for each row, uint8, shape (n, record); rows are read in any order."""
    blocks = layout.dtype.itemsize // AES_BLOCK
    halves = np.ascontiguousarray(handles).view(">u8")
    counters = np.empty((len(handles), blocks, 2), ">u8")
    counters[:, :, 0] = halves[:, :1]
    counters[:, :, 1] = halves[:, 1:] + np.arange(blocks, dtype=np.uint64)
    # Each block is a counter of its own and none comes twice: ECB is what counter mode is made of.
    encryptor = Cipher(AES256(key.reveal()), ECB()).encryptor()  # noqa: S305 - as said above
    return np.frombuffer(encryptor.update(counters.tobytes()), np.uint8).reshape(len(handles), -1)
