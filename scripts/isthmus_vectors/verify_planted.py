"""Confirm planted people and their copies from docs/protocol.md, section 14, alone; shares no code with Isthmus.

How often each error happens is read from the tables on that page, so the page is checked to be complete. Standard
library only, but for AES: where the package `cryptography` cannot be imported, only the round key is confirmed.
"""

import hashlib
import re
from collections import Counter
from collections.abc import Callable
from datetime import date
from pathlib import Path
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
Copy = dict[str, str]

PAGE: Final = Path(__file__).resolve().parents[2] / "docs" / "protocol.md"
LETTERS, FIGURES = "abcdefghijklmnopqrstuvwxyz", "0123456789"
ALL: Final = 1000


class Words:
    """Words of four bytes of AES in counter mode, put together by hand, from one place of a stream to another."""

    def __init__(self, key: bytes, start: int, end: int) -> None:
        """Take the bytes from `start` to before `end`, both multiples of 16."""
        blocks = b"".join(block.to_bytes(16, "big") for block in range(start // 16, end // 16))
        encryptor = Cipher(algorithms.AES(key), modes.ECB()).encryptor()  # noqa: S305 - counter mode, as said above
        self.left = encryptor.update(blocks)

    def below(self, count: int) -> int:
        """Give floor(w n / 2^32) for the next word."""
        word, self.left = int.from_bytes(self.left[:4], "little"), self.left[4:]
        return word * count // 2**32

    def happens(self, parts: int) -> bool:
        """Say whether it does, so often in 1000."""
        return self.below(1000) < parts

    def common(self, entries: list[Any]) -> Any:
        """Give an entry, the first ones more often."""
        inner = self.below(len(entries))
        return entries[self.below(inner + 1)]


def verify_people(document: Json, nicknames: list[list[str]], derive: Derive, expect: Expect) -> Counter[str]:
    """Confirm the key, everybody, and the copies of each provider; give how many."""
    info = f"isthmus/1|planted|{document['project']}|{document['round_id']}"
    key = derive(bytes.fromhex(document["master"]), info)
    expect("planted: round key", document["planted_key"], key.hex())
    seen: Counter[str] = Counter({"keys": 1})
    if not HAS_CRYPTOGRAPHY:
        return seen
    made = Maker(document["lists"], nicknames, PAGE.read_text(encoding="utf-8"))
    person_key = derive(key, "isthmus/1|planted-person")
    everybody = [made.person(Words(person_key, 256 * number, 256 * number + 256)) for number in range(ALL)]
    expect("planted: people", document["people"], shown(everybody))
    for party, written in document["copies"].items():
        copy_key = derive(key, f"isthmus/1|planted-copy|{party}")
        copies = [
            made.copy(person, Words(copy_key, 1024 * number, 1024 * number + 1024))
            for number, person in enumerate(everybody)
        ]
        expect(f"planted: copies of {party}", written, shown(copies))
        seen["copies"] += len(copies)
    seen["people"] += len(everybody)
    return seen


def shown(people: list[Copy]) -> Json:
    """Give the first people as the file has them, and the digest of all."""
    lines = ["|".join(person.values()) for person in people]
    return {"first": lines[:12], "digest": hashlib.sha256(("\n".join(lines) + "\n").encode()).hexdigest()}


class Maker:
    """What the page says, with its lists and tables."""

    def __init__(self, lists: Json, nicknames: list[list[str]], page: str) -> None:
        """Read the tables of the page's section 14."""
        section = page.partition("\n## 14. ")[2].partition("\n## ")[0]
        self.lists, self.nicknames = lists, nicknames
        self.rates = {
            name: [int(number) for number in re.findall("[0-9]+", rate)]
            for name, rate in re.findall(r"^\| ([a-z ]+) \| ([`fm0-9, ]+) \|", section, re.MULTILINE)
        }
        self.fields = [
            (field, int(missing), int(error), how)
            for field, missing, error, how in re.findall(
                r"^\| `([a-z_]+)` \| ([0-9]+) \| ([0-9]+) \| (.+) \|$", section, re.MULTILINE
            )
        ]

    def origin(self, words: Words) -> Json:
        """Draw where a name is from."""
        left = words.below(1000)
        for origin in self.lists["origins"]:
            left -= origin["parts"]
            if left < 0:
                return dict(origin)
        raise AssertionError("the parts do not add up to 1000")

    def last_name(self, origin: Json, words: Words) -> str:
        """Draw a last name, or two."""
        names = [words.common(origin["last_names"])]
        if origin["double"] and words.happens(origin["double"]):
            names.append(words.common(origin["last_names"]))
        return " ".join(names)

    def street(self, words: Words) -> Copy:
        """Draw a house."""
        number = 1 + words.below(10 ** (words.below(4) + 1))
        name = words.common(self.lists["streets"])
        return {"street_number": str(number), "street_name": name + " " + words.common(self.lists["street_kinds"])}

    def town(self, words: Words) -> Copy:
        """Draw a town."""
        town = words.common(self.lists["towns"])
        return {"city": town["city"], "state": town["state"], "zip": town["zip_prefix"] + f"{words.below(100):02d}"}

    def number(self, words: Words) -> str:
        """Draw seven digits."""
        exchange = str(words.below(800) + 200)
        return exchange + str(words.below(10000)).zfill(4)

    def person(self, words: Words) -> Copy:
        """Draw somebody."""
        origin = self.origin(words)
        sex = "fm"[words.below(2)]
        names = origin["first_names"][sex]
        first = words.common(names)
        middle = words.common(names) if words.happens(600) else ""
        last = self.last_name(origin, words)
        born = date.fromordinal(date(1940, 1, 1).toordinal() + words.below(25568)).isoformat().replace("-", "")
        address = self.street(words) | self.town(words)
        phone = words.common(self.lists["towns"])["area_code"] + self.number(words)
        ssn = 9 * 10**8 + words.below(100) * 10**6 + (1 + words.below(49)) * 10**4 + 1 + words.below(9999)
        named = {"first_name": first, "middle_name": middle, "last_name": last}
        return named | {"dob": born, "birth_year": born[:4], "sex": sex} | address | {"phone": phone, "ssn": str(ssn)}

    def copy(self, person: Copy, words: Words) -> Copy:
        """Give a provider's copy."""
        made = dict(person)
        self.change_place(made, words)
        self.change_names(made, words)
        if words.happens(*self.rates["no kind of street"]):
            made["street_name"] = made["street_name"].partition(" ")[0]
        if words.happens(*self.rates["date swapped"]):
            year, month, day = re.findall("^(....)(..)(..)$", made["dob"])[0]
            made["dob"] = year + day + month
        if words.happens(*self.rates["no address"]):
            made |= dict.fromkeys(["street_number", "street_name", "city", "state", "zip"], "")
        for field, missing, error, how in self.fields:
            made[field] = self.field(made[field], missing, error, how, words)
        return made

    def change_place(self, made: Copy, words: Words) -> None:
        """Let somebody move, or have another telephone."""
        if words.happens(*self.rates["moved"]):
            made |= self.street(words)
            if words.happens(500):
                made |= self.town(words)
        if words.happens(*self.rates["other telephone"]):
            made["phone"] = made["phone"][:3] + self.number(words)

    def change_names(self, made: Copy, words: Words) -> None:
        """Give somebody other names, or the same ones in another way."""
        female, male = self.rates["other last name"]
        if words.happens(female if made["sex"] == "f" else male):
            made["last_name"] = self.last_name(self.origin(words), words)
        if " " in made["last_name"] and words.happens(*self.rates["one last name"]):
            made["last_name"] = made["last_name"].split()[words.below(2)]
        for names in self.nicknames:
            if made["first_name"] in names and words.happens(*self.rates["nickname"]):
                later = words.below(len(names) - 1) + 1
                made["first_name"] = names[(names.index(made["first_name"]) + later) % len(names)]
                break
        if words.happens(*self.rates["names swapped"]):
            made |= {"first_name": made["last_name"], "last_name": made["first_name"]}
        if made["middle_name"] and words.happens(*self.rates["initial"]):
            made["middle_name"] = made["middle_name"][0]

    def field(self, value: str, missing: int, error: int, how: str, words: Words) -> str:
        """Give one field after what may happen to it."""
        if value == "" or words.happens(missing):
            return ""
        if words.happens(error):
            value = self.damaged(value, how, words)
            if value and words.happens(100):
                value = self.damaged(value, how, words)
        return value

    def damaged(self, value: str, how: str, words: Words) -> str:
        """Make one error."""
        match how:
            case "typing":
                return typing(value, words)
            case "digit":
                return digit(value, words)
            case "the other one":
                return "m" if value == "f" else "f"
            case _:
                state: str = words.common(self.lists["towns"])["state"]
                return state


def typing(value: str, words: Words) -> str:
    """Make one typing error."""
    kind = words.below(4) if len(value) > 1 else 0
    characters = list(value)
    match kind:
        case 0:
            return replaced(value, LETTERS, words)
        case 1:
            del characters[words.below(len(value))]
        case 2:
            place = words.below(len(value) + 1)
            characters.insert(place, LETTERS[words.below(26)])
        case 3:
            return " ".join(exchanged(value, words).split())
    return " ".join("".join(characters).split())


def digit(value: str, words: Words) -> str:
    """Make one error in digits."""
    if len(value) > 1 and words.below(2) == 1:
        return exchanged(value, words)
    return replaced(value, FIGURES, words)


def exchanged(value: str, words: Words) -> str:
    """Exchange two that follow each other."""
    place = words.below(len(value) - 1)
    return value[:place] + value[place : place + 2][::-1] + value[place + 2 :]


def replaced(value: str, row: str, words: Words) -> str:
    """Replace one character by one that stands after it in the row."""
    place = words.below(len(value))
    old = 0 if value[place] == " " else row.index(value[place])
    new = row[(old + 1 + words.below(len(row) - 1)) % len(row)]
    return value[:place] + new + value[place + 1 :]
