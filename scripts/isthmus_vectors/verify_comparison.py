"""Confirm answers of field comparison from docs/protocol.md, section 13, alone; shares no code with Isthmus.

Standard library only, but for AES: where the package `cryptography` cannot be imported, what nodes keep of rows and
what the written answers tell is confirmed, and not the answers.
"""

import hashlib
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any, Final

try:
    from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
except ImportError:
    HAS_CRYPTOGRAPHY = False
else:
    HAS_CRYPTOGRAPHY = True

Json = dict[str, Any]
Expect = Callable[[str, object, object], None]
Derive = Callable[[bytes, str], bytes]
Filter = Callable[[dict[str, str], Json, bytes], bytes]

PRIME: Final = 2**31 - 1
ORDER: Final = (
    *("first_name", "middle_name", "last_name", "dob", "birth_year", "sex", "street_number", "street_name", "city"),
    *("state", "zip", "phone", "ssn"),
)
NAMES: Final = ("first_name", "middle_name", "last_name", "street_name", "city")
WHOLE: Final = {"dob": 8, "birth_year": 4, "zip": 5, "phone": 10, "ssn": 9}
CUTS: Final = {
    "dob": [("dob.year", 0, 4), ("dob.month", 4, 6), ("dob.day", 6, 8)],
    **{field: [(field, 0, length)] for field, length in WHOLE.items() if field != "dob"},
}
# Name, kind, what the left row takes, what the right row takes.
TAGS: Final = (
    ("sex", "sex", "sex", "sex"),
    ("state", "state", "state", "state"),
    ("first_name.initial", "initial", "first_name.initial", "first_name.initial"),
    ("middle_name.initial", "initial", "middle_name.initial", "middle_name.initial"),
    ("first_name.nickname", "nickname", "first_name.nickname", "first_name.nickname"),
    ("first_name=last_name", "name", "first_name", "last_name"),
    ("last_name=first_name", "name", "last_name", "first_name"),
    ("first_name=middle_name", "name", "first_name", "middle_name"),
    ("middle_name=first_name", "name", "middle_name", "first_name"),
    ("last_name.word0=0", "word", "last_name.word0", "last_name.word0"),
    ("last_name.word0=1", "word", "last_name.word0", "last_name.word1"),
    ("last_name.word1=0", "word", "last_name.word1", "last_name.word0"),
    ("last_name.word1=1", "word", "last_name.word1", "last_name.word1"),
    ("dob.swapped", "date", "dob", "dob.swapped"),
)


def verify_answers(document: Json, derive: Derive, bits_of: Filter, expect: Expect) -> Counter[str]:
    """Confirm every case; give how many rows, answers and differences."""
    seen: Counter[str] = Counter()
    nicknames = {name: names[0] for names in document["nicknames"] for name in names}
    for case in document["cases"]:
        where = case["name"]
        for label in ("compare", "pad"):
            info = f"isthmus/1|{label}|{case['project']}|{case['round_id']}"
            expect(f"{where}: {label} key", case[f"{label}_key"], derive(bytes.fromhex(case["master"]), info).hex())
        expect(f"{where}: pads key", case["pads_key"], _pads_key(case, derive).hex())
        parts = list(parts_of(case["fields"]))
        expect(
            f"{where}: parts", case["parts"], [{key: part[key] for key in ("name", "from", "bytes")} for part in parts]
        )
        sides = [_side(case, side, parts, nicknames, derive, bits_of) for side in ("left", "right")]
        for side, kept in zip(("left", "right"), sides, strict=True):
            for place, row in enumerate(case[side]):
                written = {key: row[key] for key in ("vectors", "numbers", "bands") if key in row}
                expect(f"{where}, {side} row {place}", written, _shown(kept[place]) if written else {})
                seen["rows"] += bool(written)
        seen += _verify_pairs(case, parts, sides, document["noise"], derive, expect)
    return seen


def parts_of(fields: list[str]) -> Iterator[Json]:
    """Give the parts of an answer for these fields, with the place of their first byte."""
    start = 4
    for part in (*_vectors(fields), *_tags(fields), *_bands(fields)):
        yield part | {"from": start}
        start += part["bytes"]


def _vectors(fields: list[str]) -> Iterator[Json]:
    for field in (field for field in ORDER if field in fields):
        if field in NAMES or field == "street_number":
            bits = 256 if field in NAMES else 128
            yield {"name": field, "type": "vector", "field": field, "bits": bits, "bytes": bits // 8}
        for name, start, end in CUTS.get(field, []):
            bits = 10 * (end - start)
            cut = {"digits": (start, end), "bits": bits, "bytes": (bits + 7) // 8}
            yield {"name": name, "type": "vector", "field": field} | cut


def _tags(fields: list[str]) -> Iterator[Json]:
    for name, kind, left, right in TAGS:
        if left.split(".")[0] in fields and right.split(".")[0] in fields:
            yield {"name": name, "type": "tag", "kind": kind, "left": left, "right": right, "bytes": 4}


def _bands(fields: list[str]) -> Iterator[Json]:
    for field in ("first_name", "last_name"):
        if field in fields:
            both = {"left": field, "right": field}
            yield {"name": f"{field}.band", "type": "band", "kind": "name", "bytes": 1} | both


def taken(values: dict[str, str], what: str, nicknames: dict[str, str]) -> str:
    """Give what a value part takes of a row: a field, or something of it; "" if the row has none."""
    field, _, piece = what.partition(".")
    value = values.get(field, "")
    match piece:
        case "":
            return value
        case "initial":
            return value[:1]
        case "nickname":
            return nicknames.get(value, value)
        case "swapped":
            return value[:4] + value[6:8] + value[4:6] if len(value) == 8 else ""
        case _:
            return dict(enumerate(value.split(" "))).get(int(piece[-1]), "")


def _pads_key(case: Json, derive: Derive) -> bytes:
    """Give what the streams' keys come from: another one for other lists or data sets."""
    digests = (case["lists"][side][what] for what in ("submission", "rows") for side in ("left", "right"))
    lists = hashlib.sha256(bytes.fromhex("".join(digests))).hexdigest()
    return derive(bytes.fromhex(case["pad_key"]), f"isthmus/1|pad-lists|{lists}")


def _side(
    case: Json, side: str, parts: list[Json], nicknames: dict[str, str], derive: Derive, bits_of: Filter
) -> list[Json]:
    """Give vectors, numbers and bands of every row of one side."""
    kept: list[Json] = [{"vectors": {}, "numbers": {}, "bands": {}} for _ in case[side]]
    compare, pad = (bytes.fromhex(case[f"{label}_key"]) for label in ("compare", "pad"))
    for part in parts:
        if part["type"] == "vector":
            for values, row in zip((row["values"] for row in case[side]), kept, strict=True):
                row["vectors"][part["name"]] = vector(values, part, compare, derive, bits_of)
            continue
        key = derive(pad, f"isthmus/1|pad-value|{part['kind']}")
        for what in (part["left"], part["right"]):
            column = [taken(row["values"], what, nicknames) for row in case[side]]
            counts = Counter(column)
            for value, row in zip(column, kept, strict=True):
                row["numbers"][f"{part['kind']}:{what}"] = number(value, key) if value else None
                if part["type"] == "band":
                    share = [counts[value] * rows < len(column) for rows in (100, 1000, 10000)]
                    row["bands"][what] = sum(share) if value else None
    return kept


def vector(values: dict[str, str], part: Json, compare: bytes, derive: Derive, bits_of: Filter) -> str | None:
    """Give the bits of a vector part in hex; None if the row lacks it."""
    value = values.get(part["field"], "")
    if "digits" in part:
        if len(value) != WHOLE[part["field"]] or set(value) - set("0123456789"):
            return None
        cells = "".join("0" * int(digit) + "1" + "0" * (9 - int(digit)) for digit in value[slice(*part["digits"])])
        return int(cells.ljust(8 * part["bytes"], "0"), 2).to_bytes(part["bytes"], "big").hex()
    comparison = {"type": "ngram", "n": 2, "positional": part["bits"] == 128}
    hashing = {
        "hash": {"type": "blakeHash"},
        "strategy": {"bitsPerFeature": 40 if part["bits"] == 256 else 30},
        "comparison": comparison,
    }
    feature = {"identifier": part["field"], "format": {"type": "string"}, "hashing": hashing}
    schema = {"version": 3, "clkConfig": {"l": part["bits"], "kdf": {"keySize": 64}}, "features": [feature]}
    key = derive(compare, f"isthmus/1|compare|{part['name']}")
    return bits_of({part["field"]: value}, schema, key).hex() if value else None


def number(value: str, key: bytes) -> int:
    """Give the number below 2^31 - 1 that a value is under the key of its kind."""
    return int.from_bytes(hashlib.blake2b(value.encode(), key=key, digest_size=8).digest(), "little") % PRIME


def _shown(kept: Json) -> Json:
    return {name: {key: one for key, one in each.items() if one is not None} for name, each in kept.items()}


def _verify_pairs(
    case: Json, parts: list[Json], sides: list[list[Json]], noise: int, derive: Derive, expect: Expect
) -> Counter[str]:
    seen: Counter[str] = Counter()
    for pair in case["pairs"]:
        number_, *places = pair["pair"]
        rows = [kept[place] for kept, place in zip(sides, places, strict=True)]
        where = f"{case['name']}, pair {number_}"
        for side, row in zip(("left", "right"), rows, strict=True) if HAS_CRYPTOGRAPHY else ():
            streams = "|".join(case["providers"])
            answer = _answer(
                side,
                row,
                parts,
                number_,
                noise,
                lambda part, streams=streams: derive(
                    bytes.fromhex(case["pads_key"]), f"isthmus/1|pad|{streams}|{part}"
                ),
            )
            expect(f"{where}: {side} answer", pair[side], answer.hex())
            seen["answers"] += 1
        answers = [bytes.fromhex(pair[side]) for side in ("left", "right")]
        told = {part["name"]: difference(part, place, *answers) for place, part in enumerate(parts)}
        expect(f"{where}: differences", pair["differences"], told)
        seen["differences"] += len(told)
    return seen


def _answer(side: str, row: Json, parts: list[Json], pair: int, noise: int, key_of: Callable[[str], bytes]) -> bytes:
    presence, answer = 0, b""
    for place, part in enumerate(parts):
        content = padded(side, row, part, pair, key_of(part["name"]))
        presence |= (content is not None) << place
        answer += bytes([noise]) * part["bytes"] if content is None else content
    return presence.to_bytes(4, "little") + answer


def padded(side: str, row: Json, part: Json, pair: int, key: bytes) -> bytes | None:
    """Give the bytes of one part; None if the row lacks it."""
    if part["type"] == "vector":
        bits = row["vectors"][part["name"]]
        return None if bits is None else padded_vector(bytes.fromhex(bits), part, pair, key)
    value = row["numbers"][f"{part['kind']}:{part[side]}"]
    if value is None:
        return None
    line = pad_bytes(key, 16 * pair, 16)
    slope = int.from_bytes(line[:8], "little") % (PRIME - 1) + 1
    point = (slope * value + int.from_bytes(line[8:], "little")) % PRIME
    if part["type"] == "tag":
        return point.to_bytes(4, "little")
    band = row["bands"][part["left"]]
    return bytes([(point + (band if side == "left" else -band)) % 256])


def padded_vector(vector_bytes: bytes, part: Json, pair: int, key: bytes) -> bytes:
    """Sort the bits by numbers of the stream, a 0 before a 1 where two are equal, and XOR the pad."""
    count = part["bits"]
    size = -(-(4 * count + part["bytes"]) // 16) * 16
    pads = pad_bytes(key, size * pair, size)
    bits = f"{int.from_bytes(vector_bytes, 'big'):0{8 * part['bytes']}b}"[:count]
    keys = [int.from_bytes(pads[4 * place : 4 * place + 4], "little") >> 1 for place in range(count)]
    moved = "".join(bit for _, bit in sorted(zip(keys, bits, strict=True))).ljust(8 * part["bytes"], "0")
    masks = pads[4 * count : 4 * count + part["bytes"]]
    return (int(moved, 2) ^ int.from_bytes(masks, "big")).to_bytes(part["bytes"], "big")


def pad_bytes(key: bytes, start: int, size: int) -> bytes:
    """Give bytes of the stream: AES of 0, 1, 2 and so on as 16 bytes, big-endian, block by block."""
    encryptor = Cipher(algorithms.AES(key), modes.ECB()).encryptor()  # noqa: S305 - counter mode, put together by hand.
    first = start // 16
    return b"".join(encryptor.update(block.to_bytes(16, "big")) for block in range(first, first + size // 16))


def difference(part: Json, place: int, left: bytes, right: bytes) -> int | None:
    """Give what two answers tell of a part; None if one lacks it."""
    if not (left[place // 8] & right[place // 8]) >> (place % 8) & 1:
        return None
    ours, theirs = (answer[part["from"] : part["from"] + part["bytes"]] for answer in (left, right))
    if part["type"] == "tag":
        return int(ours == theirs)
    if part["type"] == "band":
        return (ours[0] - theirs[0]) % 256
    return (int.from_bytes(ours, "big") ^ int.from_bytes(theirs, "big")).bit_count()
