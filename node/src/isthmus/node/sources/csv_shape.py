"""The shape of a CSV file, found by looking at its bytes: encoding, delimiter and header, each with its reason.

Nothing is detected silently: a `CsvShape` says what was taken and why, and its owner sees it before a record leaves.
"""

import codecs
import csv
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TextIO

from isthmus.node.sources.errors import DelimiterInvalid, EncodingUnknown, SourceEmpty, SourceMissing
from isthmus.node.sources.header import header_is_doubtful

DELIMITERS: Final[dict[str, str]] = {",": "comma", ";": "semicolon", "\t": "tab", "|": "vertical bar"}
"""Delimiters that are looked for, in the order in which ties are settled, and their names."""

_CHUNK_BYTES: Final = 1 << 20
_SAMPLE_BYTES: Final = 4096
_HEADER_LINES: Final = 50
_BYTE_ORDER_MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class CsvShape:
    """How a CSV file is to be read, and why.

    `encoding` is a Python codec name; `lost_characters`, `nuls` and `line_breaks` count what the whole file holds of
    them under it. `header` are the column names, stripped. Where `header_is_doubtful`, the first row may be a record,
    and no message shows it.
    """

    encoding: str
    encoding_reason: str
    lost_characters: int
    nuls: int
    line_breaks: int
    delimiter: str
    delimiter_reason: str
    header: tuple[str, ...]
    header_is_doubtful: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class _Decoding:
    """What a file holds under one encoding: characters beyond ASCII, bytes that do not decode, NULs, line breaks."""

    encoding: str
    reason: str
    beyond_ascii: int
    lost: int
    nuls: int
    line_breaks: int


@contextmanager
def opened(path: Path, encoding: str) -> Iterator[TextIO]:
    """The file as text for `csv`: line ends as they are, undecodable bytes as U+FFFD.

    Raises:
        SourceMissing: the file cannot be opened.
    """
    try:
        handle = path.open(encoding=encoding, errors="replace", newline="")
    except OSError as exc:
        raise SourceMissing(source=str(path), problem=exc.strerror or "it cannot be read") from exc
    with handle:
        yield handle


def without_nuls(lines: Iterable[str]) -> Iterator[str]:
    """The lines of a file without NUL characters, which padded exports leave behind."""
    return (line.replace("\0", "") for line in lines)


def _decoding(path: Path, encoding: str, reason: str) -> _Decoding:
    beyond_ascii = lost = nuls = line_breaks = 0
    with opened(path, encoding) as handle:
        while chunk := handle.read(_CHUNK_BYTES):
            replaced = chunk.count("\ufffd")
            lost += replaced
            nuls += chunk.count("\0")
            line_breaks += chunk.count("\n")
            if not chunk.isascii():
                beyond_ascii += len(chunk) - len(chunk.encode("ascii", "ignore")) - replaced
    return _Decoding(
        encoding=encoding, reason=reason, beyond_ascii=beyond_ascii, lost=lost, nuls=nuls, line_breaks=line_breaks
    )


def _sample(path: Path) -> bytes:
    with opened(path, "latin-1") as handle:
        sample = handle.read(_SAMPLE_BYTES).encode("latin-1")  # one character a byte, there and back
    if not sample:
        raise SourceEmpty(source=str(path), problem="it has no bytes")
    return sample


def _utf16_without_mark(sample: bytes) -> str | None:
    """The byte order of UTF-16 without a mark: of Latin text nearly every second byte is then zero, and no other."""
    half = len(sample) // 2
    high, low = sample[0::2].count(0), sample[1::2].count(0)
    if half and low >= 0.8 * half and high <= 0.05 * half:
        return "utf-16-le"
    if half and high >= 0.8 * half and low <= 0.05 * half:
        return "utf-16-be"
    return None


def _declared_decoding(path: Path, encoding: str, sample: bytes) -> _Decoding:
    try:
        name = codecs.lookup(encoding).name
        b"ab".decode(name, "replace")  # refuses codecs that are known but make no text
    except (LookupError, ValueError) as exc:
        raise EncodingUnknown(encoding=encoding) from exc
    for mark, marked in _BYTE_ORDER_MARKS:
        if sample.startswith(mark) and name.startswith(marked.removesuffix("-sig")):
            return _decoding(path, marked, "as declared, with a byte order mark")
    return _decoding(path, name, "as declared")


def _detected_decoding(path: Path, sample: bytes) -> _Decoding:
    for mark, encoding in _BYTE_ORDER_MARKS:
        if sample.startswith(mark):
            return _decoding(path, encoding, "the file starts with its byte order mark")
    if (unmarked := _utf16_without_mark(sample)) is not None:
        return _decoding(path, unmarked, "every second byte is zero")
    utf8 = _decoding(path, "utf-8", "every byte decodes")
    if not utf8.lost:
        return utf8
    if utf8.beyond_ascii > utf8.lost:
        return _decoding(path, "utf-8", "most characters beyond ASCII decode")
    return _decoding(path, "cp1252", "it is not UTF-8")


def _header_lines(path: Path, encoding: str) -> list[str]:
    """The lines of the first row that is not blank: more than one where a quoted name holds line breaks."""
    lines: list[str] = []
    with opened(path, encoding) as handle:
        for line in without_nuls(handle):
            if lines or line.strip():
                lines.append(line)
            closed = sum(kept.count('"') for kept in lines) % 2 == 0
            if lines and (closed or len(lines) == _HEADER_LINES):
                break
    if not lines:
        raise SourceEmpty(source=str(path), problem="it has only blank lines")
    return lines


def split_header(lines: Sequence[str], delimiter: str) -> tuple[str, ...]:
    """The column names in the lines of a header, stripped, without the unnamed columns at its end."""
    names = [name.strip() for name in next(csv.reader(lines, delimiter=delimiter, skipinitialspace=True))]
    while names and not names[-1]:
        names.pop()
    return tuple(names)


def _choose_delimiter(lines: Sequence[str]) -> tuple[str, str]:
    widths = {delimiter: len(split_header(lines, delimiter)) for delimiter in DELIMITERS}
    best = max(DELIMITERS, key=lambda delimiter: widths[delimiter])
    if widths[best] <= 1:
        return ",", "the header is a single column"
    return best, f"it parts the header into {widths[best]} columns, more than any other"


def _check_delimiter(delimiter: str) -> None:
    if len(delimiter) != 1 or delimiter in '" \r\n\0':
        raise DelimiterInvalid


def header_lines(path: Path, shape: CsvShape) -> list[str]:
    """The lines of the file that hold its header, to be split by another delimiter than the shape's."""
    return _header_lines(path, shape.encoding)


def inspect_csv(path: Path, *, encoding: str | None = None, delimiter: str | None = None) -> CsvShape:
    """The shape of a CSV file; what is declared is taken, the rest detected.

    Reads the whole file once or twice, a stretch at a time: its only accent may be in its last row, and an encoding
    guessed from the first rows would damage every name with one.

    Encoding: a byte order mark decides; then UTF-16 where every second byte is zero; then UTF-8 if all bytes decode, or
    more characters beyond ASCII do than do not; else Windows-1252. Delimiter: that of `DELIMITERS` which parts the
    header into most columns.

    Raises:
        SourceMissing, SourceEmpty, EncodingUnknown, DelimiterInvalid: as they say.
    """
    if delimiter is not None:
        _check_delimiter(delimiter)
    sample = _sample(path)
    decoding = _detected_decoding(path, sample) if encoding is None else _declared_decoding(path, encoding, sample)
    lines = _header_lines(path, decoding.encoding)
    taken, reason = _choose_delimiter(lines) if delimiter is None else (delimiter, "as declared")
    header = split_header(lines, taken)
    return CsvShape(
        encoding=decoding.encoding,
        encoding_reason=decoding.reason,
        lost_characters=decoding.lost,
        nuls=decoding.nuls,
        line_breaks=decoding.line_breaks,
        delimiter=taken,
        delimiter_reason=reason,
        header=header,
        header_is_doubtful=header_is_doubtful(header),
    )
