"""Confirm vectors of the normaliser `norm-1`, from docs/reference/normaliser.md alone; shares no code with Isthmus.

The lists (letters, words, placeholders, newer characters) are read from the page itself, so the page is checked to be
complete; the rules were written down here a second time from its sections, whose numbers stand beside them. Standard
library only.
"""

import hashlib
import re
import unicodedata
from calendar import monthrange
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

Json = dict[str, Any]
Expect = Callable[[str, object, object], None]
Form = tuple[str, bool]
"""A form, and whether the value is damaged."""

PAGE: Final = Path(__file__).resolve().parents[2] / "docs" / "reference" / "normaliser.md"

WHITE: Final = {*range(9, 14), 0x20, 0x85, 0xA0, 0x1680, *range(0x2000, 0x200B), 0x2028, 0x2029, 0x202F, 0x205F, 0x3000}
UNSEEN: Final = (
    *((0x300, 0x36F), (0x1AB0, 0x1ACE), (0x1DC0, 0x1DFF), (0x20D0, 0x20F0), (0xFE20, 0xFE2F)),
    *((0x591, 0x5BD), (0x5BF, 0x5BF), (0x5C1, 0x5C2), (0x5C4, 0x5C5), (0x5C7, 0x5C7), (0x64B, 0x65F), (0x670, 0x670)),
    *((0x115F, 0x1160), (0x17B4, 0x17B5), (0x180B, 0x180D), (0x180F, 0x180F), (0xFE00, 0xFE0F), (0xE0100, 0xE01EF)),
)
UNSEEN_ONES: Final = re.compile("[" + "".join(f"{chr(low)}-{chr(high)}" for low, high in UNSEEN) + "]")
CONTROLS: Final = {*range(9), *range(0xE, 0x20), *range(0x7F, 0x85), *range(0x86, 0xA0)}
SEPARATORS: Final = {before + sign + after for sign in "-/. " for before in ("", " ") for after in ("", " ")}
MONTHS: Final = (
    *("january", "february", "march", "april", "may", "june"),
    *("july", "august", "september", "october", "november", "december"),
)
ZONE: Final = "( ?(z|utc|gmt|[+-][0-9][0-9](:?[0-9][0-9])?))?"
TIME: Final = re.compile("[0-9]{1,2}:[0-9]{2}(:[0-9]{2}([.,][0-9]{1,9})?)?( ?[ap][.]?m[.]?)?" + ZONE)
DENSE_TIME: Final = re.compile("t?[0-9]{4}([0-9]{2}([.][0-9]{1,9})?)?" + ZONE)
LABELS: Final = "|".join(["telephone", "tel", "phone", "home", "cell", "mobile", "work"])


class ByCharacter(dict[int, str]):
    """A table for `str.translate` that a function fills as characters come."""

    def __init__(self, rule: Callable[[str], str]) -> None:
        self.rule = rule

    def __missing__(self, code: int) -> str:
        self[code] = self.rule(chr(code))
        return self[code]


def fenced_list(page: str, name: str) -> list[str]:
    """Give the lines of a list of section 9, each with those that continue it."""
    found = re.search(rf"^```{name}\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    if found is None:
        msg = f"the page has no list {name}"
        raise LookupError(msg)
    return re.sub(r"\n +", " ", found[1]).splitlines()


def keyed_list(page: str, name: str) -> dict[str, list[str]]:
    """Give a list of section 9 that has keys: what each stands for."""
    parted = (line.partition(":") for line in fenced_list(page, name))
    return {key: rest.split() for key, _, rest in parted}


def shortened(page: str, name: str) -> dict[str, str]:
    """Give, for each word of a list, the key before it."""
    return {word: key for key, words in keyed_list(page, name).items() for word in words}


def character(written: str) -> str:
    """Give the character of `U+0041`; a word without a code point is itself."""
    return chr(int(written.removeprefix("U+"), base=16)) if written.startswith("U+") else written


def newer_characters(page: str) -> Iterator[int]:
    """Give every code point of the list `newer`."""
    for part in " ".join(fenced_list(page, "newer")).split():
        first, _, last = part.partition("-")
        yield from range(int(first, 16), int(last or first, 16) + 1)


class Norm1:
    """The normaliser, read from a page."""

    def __init__(self, page: str) -> None:
        """Read the lists of `page`."""
        self.newer = dict.fromkeys(newer_characters(page), " ") | dict.fromkeys([0xB4, 0x384, 0x1FFD], "'")
        self.letters = {character(word): character(key) for word, key in shortened(page, "letters").items()}
        self.apostrophes = {character(word) for line in fenced_list(page, "apostrophes") for word in line.split()}
        self.suffixes = {word for line in fenced_list(page, "suffixes") for word in line.split()}
        self.printed = {word for line in fenced_list(page, "printed") for word in line.split()}
        self.particles = keyed_list(page, "particles")
        self.city_words, self.sexes = shortened(page, "city-words"), shortened(page, "sexes")
        self.street_words = shortened(page, "street-words") | self.city_words
        codes = keyed_list(page, "states")
        self.states = {code: code for code in codes} | {name: code for code in codes for name in codes[code]}
        self.placeholders = keyed_list(page, "placeholders")
        self.shapes = {field: rest[0] for field, rest in keyed_list(page, "shapes").items()}
        self.folding, self.plainness = ByCharacter(self._folded), ByCharacter(self._plain)

    def normalise(self, field: str, order: str, value: str) -> tuple[str, str]:
        """Section 1: give the normal form and the outcome."""
        if all(ord(each) in WHITE for each in value):
            return "", "blank"
        form, damaged = self._rule(field)(value, order)
        if form == "" or self._printed_nothing(value) or self._stands_for_nothing(field, form.replace(" ", "")):
            return "", "placeholder"
        return form, "damaged" if damaged else "sound"

    def _rule(self, field: str) -> Callable[[str, str], Form]:
        if field in {"first_name", "middle_name", "last_name"}:
            return lambda value, _: self._name(value, surname=field == "last_name")
        if field in {"street_name", "city"}:
            short = self.street_words if field == "street_name" else self.city_words
            return lambda value, _: (" ".join(short.get(word, word) for word in self.words(value)), lost(value))
        if field in {"dob", "birth_year"}:
            return self._dob if field == "dob" else self._birth_year
        rules: dict[str, Callable[[str], Form]] = {
            "sex": self._sex,
            "state": self._state,
            "street_number": self._street_number,
            "zip": self._zip,
            "phone": self._phone,
            "ssn": self._ssn,
        }
        return lambda value, _: rules[field](value)

    # Sections 2 to 4: characters.

    def _decomposed(self, text: str) -> str:
        return unicodedata.normalize("NFKD", text.translate(self.newer))

    def _folded(self, one: str) -> str:
        if one in self.letters:
            return self.letters[one]
        if one in self.apostrophes or one in ".\u00b7\u2027\u0640\ufffd":
            return ""
        category = unicodedata.category(one)
        if category == "Nd":
            return str(unicodedata.digit(one))
        if category[0] in "LMN":
            return one
        return "" if category in {"Cc", "Cf", "Cs"} and ord(one) not in WHITE else " "

    def _plain(self, one: str) -> str:
        if ord(one) in WHITE:
            return " "
        category = unicodedata.category(one)
        if one in self.apostrophes or one == "\ufffd" or category in {"Cc", "Cf", "Cs"}:
            return ""
        if one in "\u2010\u2011\u2012\u2013\u2014\u2015\u2212":
            return "-"
        return str(unicodedata.digit(one)) if category == "Nd" else one.lower() if one < "\x80" else one

    def fold(self, text: str) -> str:
        """Section 3."""
        folded = UNSEEN_ONES.sub("", self._decomposed(text)).casefold().translate(self.folding)
        return re.sub(" +", " ", unicodedata.normalize("NFD", folded)).strip(" ")

    def words(self, text: str) -> list[str]:
        """Section 3: the words."""
        return re.findall("[^ ]+", self.fold(text))

    def plain(self, text: str) -> str:
        """Section 4."""
        return re.sub(" +", " ", self._decomposed(text).translate(self.plainness)).strip(" ")

    def number_text(self, value: str) -> str:
        """Section 4: `12345.0` without its end."""
        return re.sub(r"\A([0-9]+)\.0+\Z", r"\1", self.plain(value))

    def _number(self, value: str) -> str:
        return self.fold(self.number_text(value)).replace(" ", "")

    # Section 5: fields.

    def _name(self, value: str, *, surname: bool) -> Form:
        words = self.words(value)
        while len(words) > 1 and words[-1] in self.suffixes:
            words.pop()
        saints = {"saint": "st", "sainte": "ste"} if surname else {}
        particles = {*self.particles["given"], *(self.particles["surname"] if surname else []), *saints}
        form = " ".join(joined(words, particles, saints))
        return form, bool(re.search("[0-9]", form)) or lost(value)

    def _sex(self, value: str) -> Form:
        written = self._number(value)
        return self.sexes.get(written, written), written not in self.sexes

    def _state(self, value: str) -> Form:
        words = self.words(value)
        code = self.states.get("".join(words))
        return (" ".join(words), True) if code is None else (code, False)

    def _street_number(self, value: str) -> Form:
        form = re.sub("^0+([0-9])", r"\1", self._number(value))
        return form, not re.search("[0-9]", form)

    def _zip(self, value: str) -> Form:
        words = self.words(self.number_text(value))
        digits = "".join(words)
        if re.fullmatch("[0-9]{5} [0-9]{1,4}", " ".join(words)):
            return words[0], False
        if re.fullmatch("[0-9]{3,5}", digits):
            return f"{int(digits):05d}", False
        if re.fullmatch("[0-9]{7,9}", digits):
            return f"{int(digits):09d}"[:5], False
        return digits, True

    def _phone(self, value: str) -> Form:
        form = self._number(value)
        labelled = re.fullmatch(f"({LABELS})?([0-9]{{7,15}})({LABELS}|(x|ext|extn|extension)[0-9]{{1,6}})?", form)
        number = labelled[2] if labelled else form
        if re.fullmatch("1[0-9]{10}|001[0-9]{10}", number):
            number = number[-10:]
        return number, not re.fullmatch("[0-9]{7}|[0-9]{10}", number)

    def _ssn(self, value: str) -> Form:
        form = self._number(value)
        if re.fullmatch("xxxxx[0-9]{4}", form):
            return form[5:], True
        if re.fullmatch("[0-9]{7,8}", form):
            form = f"{int(form):09d}"
        never = form[:3] in {"000", "666"} or form[3:5] == "00" or form[5:] == "0000"
        return form, never or not re.fullmatch("[0-9]{9}", form)

    # Section 6: dates.

    def _dob(self, value: str, order: str) -> Form:
        text = without_time(self.number_text(value))
        day = read_day(text, order)
        return (self.fold(text).replace(" ", ""), True) if day is None else ("{:04d}{:02d}{:02d}".format(*day), False)

    def _birth_year(self, value: str, order: str) -> Form:
        day = read_day(without_time(self.number_text(value)), order)
        if day is not None:
            return str(day[0]), False
        form = self._number(value)
        return form, not (re.fullmatch("[0-9]{4}", form) and 1800 <= int(form) <= 2199)

    # Section 7: placeholders.

    def _printed_nothing(self, value: str) -> bool:
        text = self.plain(value).replace(" ", "")
        return text in self.printed or bool(re.fullmatch(r"-([0-9][0-9]?|999*)(\.0+)?", text))

    def _stands_for_nothing(self, field: str, form: str) -> bool:
        if form in self.placeholders["any"] or form in self.placeholders[field]:
            return True
        shape = re.compile(self.shapes[field])
        return bool(re.fullmatch("xx+|test(test)*[0-9]*", form) or shape.fullmatch(form))


def joined(words: list[str], particles: set[str], respelt: dict[str, str]) -> list[str]:
    """Section 5: the words with particles joined to the word after them."""
    pieces = [respelt.get(word, word) for word in words[:1]]
    for before, word in pairwise(words):
        glue = pieces.pop() if before in particles or pieces[-1] in particles else ""
        pieces.append(glue + respelt.get(word, word))
    return pieces


def without_time(text: str) -> str:
    """Section 6: a number text without its time of day."""
    for end in range(6, min(24, len(text)) + 1):
        for parting in ("t", " ", ", "):
            if text.startswith(parting, end) and TIME.fullmatch(text, end + len(parting)):
                return text[:end]
    if re.match("[0-9]{8}", text) and DENSE_TIME.fullmatch(text, 8):
        return text[:8]
    return text


def read_day(text: str, order: str) -> tuple[int, int, int] | None:
    """Section 6: year, month and day of a text without a time; None where it is no date."""
    numbers = numbers_of(text)
    if numbers is not None and len(numbers[0]) == 4 and (day := real(*map(int, numbers))) is not None:
        return day
    if any("a" <= one <= "z" for one in text):
        return named_day(text)
    if re.fullmatch("[0-9]{8}", text):
        numbers = [text[:2], text[2:4], text[4:]]
    if order == "YMD" or numbers is None or [len(one) > 2 for one in numbers] != [False, False, True]:
        return None
    first, second, year = map(int, numbers)
    return real(year, first, second) if order == "MDY" else real(year, second, first)


def numbers_of(text: str) -> list[str] | None:
    """Give three numbers with separators between them, one of four digits at an end; of eight digits, 4, 2 and 2."""
    if re.fullmatch("[0-9]{8}", text):
        return [text[:4], text[4:6], text[6:]]
    parts = re.findall("[0-9]+|[^0-9]+", text)
    if len(parts) != 5 or not parts[0].isdecimal() or not {parts[1], parts[3]} <= SEPARATORS:
        return None
    first, middle, last = (len(part) for part in parts[::2])
    return parts[::2] if max(middle, min(first, last)) <= 2 and max(first, last) == 4 else None


def named_day(text: str) -> tuple[int, int, int] | None:
    """Section 6, forms 2 to 4: a date whose month has a name."""
    text = re.sub("(?<![0-9])([0-9]{1,2})(st|nd|rd|th)", r"\1", text)
    parts = re.findall("[0-9]+|[a-z]+|[^0-9a-z]+", text)
    kinds = "".join("d" if one[0] in "0123456789" else "m" if "a" <= one[0] <= "z" else "-" for one in parts)
    gaps = iter(part for part, kind in zip(parts, kinds, strict=True) if kind == "-")
    months = [part for part, kind in zip(parts, kinds, strict=True) if kind == "m"]
    numbers = [part for part, kind in zip(parts, kinds, strict=True) if kind == "d"]
    order, spaced = kinds.replace("-", ""), [next(gaps) if gap else "" for gap in re.findall("[dm](-?)", kinds)]
    if order not in {"dmd", "mdd"} or kinds[0] == "-" or spaced[2]:
        return None
    return day_of_parts(order, months[0], numbers, spaced[:2])


def day_of_parts(order: str, month: str, numbers: list[str], gaps: list[str]) -> tuple[int, int, int] | None:
    """Give the date of a month name and two numbers, with what stands between them."""
    year_first = order == "dmd" and len(numbers[0]) == 4
    year, day = numbers if year_first else numbers[::-1]
    signs = {
        "dmd": ("[-/. ]?", "[-/. ]{0,2}" if year_first else "[-/., ]{0,2}"),
        "mdd": ("[-/. ]{0,2}", "[-/., ]{1,2}"),
    }[order]
    if len(year) != 4 or len(day) > 2 or not all(map(re.fullmatch, signs, gaps)):
        return None
    number = next((n for n, name in enumerate(MONTHS, 1) if month in {name, name[:3]}), 9 * (month == "sept"))
    return real(int(year), number, int(day))


def real(year: int, month: int, day: int) -> tuple[int, int, int] | None:
    """Give the date back where it is a day of the calendar from 1800 to 2199."""
    good = 1800 <= year <= 2199 and 1 <= month <= 12 and 1 <= day <= monthrange(year, month)[1]
    return (year, month, day) if good else None


WINDOWS_1252: Final = {
    bytes([byte]).decode("cp1252"): byte for byte in range(256) if byte not in {0x81, 0x8D, 0x8F, 0x90, 0x9D}
}


def lost(value: str) -> bool:
    """Section 8: whether characters were lost."""
    if any(ord(one) in CONTROLS or one == "\ufffd" or "\ud800" <= one <= "\udfff" for one in value):
        return True
    composed = unicodedata.normalize("NFC", value)
    if value.isascii() or not all(one in WINDOWS_1252 for one in composed):
        return False
    try:
        bytes(WINDOWS_1252[one] for one in composed).decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def folded_code_points(rules: Norm1) -> str:
    """Section 10: SHA-256 over the folded form of every code point."""
    digest = hashlib.sha256()
    for code in range(0x110000):
        digest.update(rules.fold(chr(code)).encode("utf-8", "surrogatepass") + b"\n")
    return digest.hexdigest()


def verify_normaliser(document: Json, expect: Expect) -> Counter[str]:
    """Confirm every vector and the folding of every code point; give how many values of each field."""
    rules = Norm1(PAGE.read_text(encoding="utf-8"))
    seen: Counter[str] = Counter()
    for field, order, raw, form, outcome, _ in document["vectors"]:
        expect(f"{field}, {order}, {raw!a}", [form, outcome], [*rules.normalise(field, order, raw)])
        seen[f"of {field}"] += 1
    expect("the folding of every code point", document["folded_code_points"], folded_code_points(rules))
    return seen
