"""Confirm match keys and tags from docs/protocol.md, section 5, alone; shares no code with Isthmus.

Which match keys there are is read from the table on that page, so the page is checked to be complete. Standard library
only.
"""

import hashlib
import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

Json = dict[str, Any]
Expect = Callable[[str, object, object], None]
Derive = Callable[[bytes, str], bytes]

PAGE: Final = Path(__file__).resolve().parents[2] / "docs" / "protocol.md"
TABLE: Final = re.compile(r"\| name \| parts \|\n\|[-|]+\|\n((?:\|.+\|\n)+)")
PART: Final = re.compile(r"`([a-z_]+)`((?: (?:and )?[0-9]+-[0-9]+)*)")


def verify_match_keys(case: Json, derive: Derive, expect: Expect) -> Counter[str]:
    """Confirm the match keys of a case's profile, and what each of them makes of the records; give how many."""
    profile, written = case["profile"], case["match_keys"]
    listed = keys_for(profile["fields"]) if profile["name"] == "hardened-1" else []
    expect(f"{case['name']}: match keys of the profile", profile["match_keys"], listed)
    expect(f"{case['name']}: match keys", list(written), [each["name"] for each in listed])
    people = [dict(zip(profile["fields"], record, strict=True)) for record in case["records"]]
    seen: Counter[str] = Counter()
    for each in listed:
        info = f"isthmus/1|match-key|{profile['name']}|{each['name']}"
        key = derive(bytes.fromhex(case["match_key"]), info)
        where = f"{case['name']}, {each['name']}"
        expect(f"{where}: key", written[each["name"]]["key"], key.hex())
        expect(f"{where}: rows", written[each["name"]]["rows"], tagged(people, each["parts"], key))
        seen += Counter({"keys": 1, "tags": len(written[each["name"]]["rows"])})
    return seen


def keys_for(fields: list[str]) -> list[Json]:
    """Give the match keys of the page whose fields are all shared, as a profile has them."""
    usable = [field for field in fields if field != "birth_year" or "dob" not in fields]
    found = TABLE.search(PAGE.read_text(encoding="utf-8"))
    rows = found[1].splitlines() if found else []
    listed = [(name.strip(" `"), parts_in(parts)) for _, name, parts, _ in (row.split("|") for row in rows)]
    return [{"name": name, "parts": parts} for name, parts in listed if all(part["field"] in usable for part in parts)]


def parts_in(text: str) -> list[Json]:
    """Give the parts that a row of the page's table lists, such as "`last_name`; `dob` 0-4 and 6-8"."""
    parts = []
    for field, cuts in PART.findall(text):
        slices = [[int(place) for place in cut.split("-")] for cut in re.findall("[0-9]+-[0-9]+", cuts)]
        parts.append({"field": field, "slices": slices, "digits": 8 if field == "dob" and slices else 0})
    return parts


def tagged(people: list[dict[str, str]], parts: list[Json], key: bytes) -> list[Json]:
    """Give row, parts and tag of each record that has all parts."""
    rows = []
    for row, person in enumerate(people):
        joined = [cut(person[part["field"]], part) for part in parts]
        if "" not in joined:
            tag = hashlib.blake2b("\x1f".join(joined).encode(), key=key, digest_size=16).hexdigest()
            rows.append({"row": row, "parts": joined, "tag": tag})
    return rows


def cut(value: str, part: Json) -> str:
    """Give a part of a value; nothing where the value is not of the digits that it should be of."""
    if part["digits"] and not re.fullmatch(f"[0-9]{{{part['digits']}}}", value):
        return ""
    return "".join(value[start:end] for start, end in part["slices"] or [[0, len(value)]])
