"""Known answers of the preflight: the made-up values, the parts of an answer, and what differs between two nodes.

Twelve records; record i takes value i of every field. The values are chosen to touch the normaliser's rules: accents,
apostrophes, particles, suffixes, dates, placeholders, damage. Nobody is meant by them. docs/protocol.md section 5.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from isthmus.contract.canonical import same_bytes
from isthmus.contract.errors import MalformedMessage
from isthmus.contract.keyed_blocks import Blocks
from isthmus.contract.profiles import AnyProfile

ANSWER_BYTES: Final = 16

_PART = re.compile(r"(field|table|key|block):[a-z_-]{1,54}")

_KNOWN: Final = {
    "first_name": "Zoë|O\u2019Neal|MARY-ANN| Ibn Tal |Łucja|Nguyễn|\u0410\u043d\u043d\u0430|UNKNOWN||Dr. Bo|x|J.R.",
    "middle_name": "K.||Marie Thérèse|N/A|de|Ø|van|-|José|Q|Éva|B",
    "last_name": "Müller|de la Cruz|Smith-Jones|O'Brien Jr|Åström|MACDONALD III|Straße|al-Amin|Test||"
    "D\u2019Angelo|Çelik",
    "dob": "2008-02-29|2007-02-29|1900-01-01|2010-12-01|2010/11/30||2009-1-5|20090704|2011-13-01|"
    "2012-06-15T00:00:00|9999-12-31|2005-10-10",
    "birth_year": "2008|1999||0|9999|2010|07|2012.0|2005|abcd|1985|2001",
    "sex": "F|m|Male|2|X||U|female|Non-binary|1|9|?",
    "street_number": "12|12B|0012|PO||1/2|999|77|3-5|12345|8|N 4",
    "street_name": "Main St.|N. Ünder Rd|5th Avenue|P.O. Box 9||Elm|Old Mill Ln|UNKNOWN|Via 8|St James|"
    "Calle Ocho|Broadway",
    "city": "Springfield|São Paulo|ST. PAUL||Ft Worth|N/A|Coeur d'Alene|Öland|Troy|La Mesa|Nome|Ely",
    "state": "ca|NY||XX|Wash.|TX|Ohio|or|N.C.|PR|--|ME",
    "zip": "02139|2139|02139-4307|99999||K1A 0B1|00000|12345.0|9021O|60601|73301|04401",
    "phone": "(617) 555-0142|+1 617 555 0142|555-0142||0000000000|6175550142x9|1-800-FLOWERS|"
    "617.555.0199|999-999-9999|+44 20 7946 0018|5|617 555 01 42",
    "ssn": "123-45-6789|000-00-0000|987654320||XXX-XX-1234|219 09 9999|078051120|111111111|"
    "900-11-2222|666-12-3456|457555462|12345678",
}
KNOWN_VALUES: Final[Mapping[str, tuple[str, ...]]] = {field: tuple(text.split("|")) for field, text in _KNOWN.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownAnswer:
    """One answer: `part` is `field:NAME`, `table:NAME`, `key:NAME` or `block:NAME`, `mac` 16 bytes."""

    part: str
    mac: bytes

    def __post_init__(self) -> None:
        """Raise `MalformedMessage` where a bound is broken."""
        if len(self.mac) != ANSWER_BYTES or _PART.fullmatch(self.part) is None:
            raise MalformedMessage(field="known_answers", problem="not a part's name with 16 bytes")


def field_part(field: str) -> str:
    """Give the name of a field's answer."""
    return f"field:{field}"


def table_part(table: str) -> str:
    """Give the name of a table's answer."""
    return f"table:{table}"


def key_part(match_key: str) -> str:
    """Give the name of a match key's answer."""
    return f"key:{match_key}"


def block_part(block_key: str) -> str:
    """Give the name of a block key's answer."""
    return f"block:{block_key}"


def encoded_parts(profile: AnyProfile) -> tuple[str, ...]:
    """Give the parts that are answered for by encodings, in the order in which a row has them: tables, match keys."""
    return (*map(table_part, profile.table_names), *map(key_part, profile.match_key_names))


def answered_parts(profile: AnyProfile, blocks: Blocks | None) -> tuple[str, ...]:
    """Give what a node answers for a profile and a grant, in order: each field, table, match key and block key."""
    block_keys = blocks.keys if blocks else ()
    return (*map(field_part, profile.fields), *encoded_parts(profile), *map(block_part, block_keys))


def answers_text(answers: Sequence[KnownAnswer]) -> str:
    """Give the answers as text to be kept: a line each, part and MAC in hex, in order."""
    return "".join(f"{answer.part} {answer.mac.hex()}\n" for answer in answers)


def answers_from_text(text: str) -> tuple[KnownAnswer, ...]:
    """Read what `answers_text` gave."""
    parts = (line.split(" ") for line in text.splitlines())
    return tuple(KnownAnswer(part=part, mac=bytes.fromhex(mac)) for part, mac in parts)


def differing_parts(ours: Sequence[KnownAnswer], theirs: Sequence[KnownAnswer]) -> tuple[str, ...]:
    """Give what two nodes answer differently, in order; a part that only one of them has differs.

    A field that is normalised differently makes its tables differ too, so tables, match keys and block keys are named
    only where no field is.
    """
    left, right = ({answer.part: answer.mac for answer in one} for one in (ours, theirs))
    parts = tuple(
        part for part in dict.fromkeys([*left, *right]) if not same_bytes(left.get(part, b""), right.get(part, b""))
    )
    return tuple(part for part in parts if part.startswith("field:")) or parts
