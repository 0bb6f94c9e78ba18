"""Confirm match keys and tags from docs/protocol.md, section 5, alone; shares no code with Isthmus.

Which match keys there are is read from the tables on that page, so the page is checked to be complete. Standard library
only.
"""

import hashlib
import re
from collections import Counter
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

Json = dict[str, Any]
Expect = Callable[[str, object, object], None]
Derive = Callable[[bytes, str], bytes]

PAGE: Final = Path(__file__).resolve().parents[2] / "docs" / "protocol.md"
TABLES: Final = {
    "hardened-1": re.compile(r"\| name \| parts \|\n\|[-|]+\|\n((?:\|.+\|\n)+)"),
    "hardened-2": re.compile(r"\| wide key \| parts \|\n\|[-|]+\|\n((?:\|.+\|\n)+)"),
}
PART: Final = re.compile(r"`([a-z_]+)`((?: sound| reversed| unordered)?)((?: (?:and )?[0-9]+-[0-9]+)*)")
SOUNDS: Final = {"bfpv": "1", "cgjkqsxz": "2", "dt": "3", "l": "4", "mn": "5", "r": "6"}


def verify_match_keys(case: Json, derive: Derive, expect: Expect) -> Counter[str]:
    """Confirm the match keys of a case's profile, and what each of them makes of the records; give how many."""
    profile, written = case["profile"], case["match_keys"]
    listed = keys_for(profile["fields"], profile["name"])
    expect(f"{case['name']}: match keys of the profile", profile["match_keys"], listed)
    expect(f"{case['name']}: match keys", list(written), [each["name"] for each in listed])
    people = [dict(zip(profile["fields"], record, strict=True)) for record in case["records"]]
    seen: Counter[str] = Counter()
    for each in listed:
        info = f"isthmus/1|match-key|{profile['name']}|{each['name']}"
        key = derive(bytes.fromhex(case["match_key"]), info)
        where = f"{case['name']}, {each['name']}"
        expect(f"{where}: key", written[each["name"]]["key"], key.hex())
        expect(f"{where}: rows", written[each["name"]]["rows"], tagged(people, each, key))
        seen += Counter({"keys": 1, "tags": len(written[each["name"]]["rows"])})
    return seen


def keys_for(fields: list[str], profile: str) -> list[Json]:
    """Give the match keys of the page whose fields are all shared, as a profile has them."""
    usable = [field for field in fields if field != "birth_year" or "dob" not in fields]
    tables = {"hardened-1": ["hardened-1"], "hardened-2": ["hardened-1", "hardened-2"]}.get(profile, [])
    found = [TABLES[table].search(PAGE.read_text(encoding="utf-8")) for table in tables]
    rows = [row.split("|") for table in found if table for row in table[1].splitlines()]
    listed = [
        {"name": name.strip(" `"), "parts": parts_in(parts), "unordered": "in either order" in parts}
        for _, name, parts, _ in rows
    ]
    return [each for each in listed if all(part["field"] in usable for part in each["parts"])]


def parts_in(text: str) -> list[Json]:
    """Give the parts that a row of a table lists, such as "`last_name` reversed 0-3; `dob` 0-4 and 6-8"."""
    parts = []
    for field, word, cuts in PART.findall(text):
        slices = [[int(place) for place in cut.split("-")] for cut in re.findall("[0-9]+-[0-9]+", cuts)]
        form = {"": "plain", "unordered": "unordered_date"}.get(word.strip(), word.strip())
        digits = 8 if field == "dob" and (slices or word) else 0
        parts.append({"field": field, "form": form, "slices": slices, "digits": digits})
    return parts


def tagged(people: list[dict[str, str]], match_key: Json, key: bytes) -> list[Json]:
    """Give row, parts and tag of each record that has all parts."""
    rows = []
    for row, person in enumerate(people):
        joined = [cut(person[part["field"]], part) for part in match_key["parts"]]
        if match_key["unordered"]:
            joined[:2] = sorted(joined[:2], key=lambda part: part.encode())
        if "" not in joined:
            tag = hashlib.blake2b("\x1f".join(joined).encode(), key=key, digest_size=16).hexdigest()
            rows.append({"row": row, "parts": joined, "tag": tag})
    return rows


def cut(value: str, part: Json) -> str:
    """Give a part of a value; nothing where the value is not of the digits that it should be of."""
    if part["digits"] and not re.fullmatch(f"[0-9]{{{part['digits']}}}", value):
        return ""
    text = formed(value, part["form"])
    return "".join(text[start:end] for start, end in part["slices"] or [[0, len(text)]])


def formed(value: str, form: str) -> str:
    """Give a value in the form of a part."""
    if form == "sound":
        return sound(value)
    if form == "reversed":
        return "".join(reversed(value))
    if form == "unordered_date":
        return value[:4] + min(value[4:6], value[6:]) + max(value[4:6], value[6:])
    return value


def sound(name: str) -> str:
    """Give the sound of a name by the numbered steps of the page."""
    letters = name.replace(" ", "")
    if not re.fullmatch("[a-z]+", letters):
        return name
    kept = letters[0] + re.sub("[hw]", "", letters[1:])
    classes = [next((digit for of, digit in SOUNDS.items() if letter in of), "-") for letter in kept]
    changes = [new for old, new in pairwise(classes) if new not in ("-", old)]
    return (letters[0] + "".join(changes) + "000")[:4]
