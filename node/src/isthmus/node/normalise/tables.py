"""Tables of `norm-1`: what is written in several ways and read as one. Keys and values are in folded form.

docs/reference/normaliser.md prints them all; a test holds the two equal.
"""

from typing import Final

NAME_SUFFIXES: Final = frozenset({"jr", "jnr", "junior", "sr", "snr", "senior", "ii", "iii", "iv", "2nd", "3rd", "4th"})
"""Generational suffixes. `v` is not one: as the last word of a name it is more often an initial."""

GIVEN_PARTICLES: Final[dict[str, str]] = {
    word: word for word in ("abd", "abdal", "abdel", "abdul", "abu", "de", "del", "dela", "la", "las", "le", "los")
}
"""First parts of a given name that some write apart and some joined: LaToya, DeShawn, Abdul Rahman, de la Luz."""

_SURNAME_PARTICLES: Final = (
    *("al", "ben", "bin", "bint", "d", "da", "das", "degli", "dell", "della", "den", "der", "di", "dos", "du", "el"),
    *("fitz", "ibn", "mac", "mc", "o", "san", "st", "ste", "ten", "ter", "van", "vanden", "vander", "von"),
)
SURNAME_PARTICLES: Final[dict[str, str]] = (
    GIVEN_PARTICLES | {word: word for word in _SURNAME_PARTICLES} | {"saint": "st", "sainte": "ste"}
)
"""First parts of a surname that some write apart, some with an apostrophe or hyphen and some joined, and as what they
are written: O'Brien, McDonald, de la Cruz, Van der Berg, al-Sayed, St. John."""

_DIRECTIONS: Final[dict[str, str]] = {
    "north": "n",
    "south": "s",
    "east": "e",
    "west": "w",
    "northeast": "ne",
    "northwest": "nw",
    "southeast": "se",
    "southwest": "sw",
}

CITY_WORDS: Final[dict[str, str]] = _DIRECTIONS | {"saint": "st", "sainte": "ste", "fort": "ft", "mount": "mt"}
"""Words of a city's name that are as often shortened as not."""

_STREET_TYPES: Final[dict[str, str]] = {
    "aly": "alley allee ally",
    "ave": "avenue av aven avenu avn avnue",
    "blvd": "boulevard boul boulv bvd",
    "br": "branch brnch",
    "byp": "bypass bypa byps",
    "cir": "circle circ crcl crcle",
    "cmn": "common",
    "cres": "crescent crsent crsnt",
    "ct": "court crt",
    "ctr": "center centre cen cent centr cntr",
    "cts": "courts",
    "cv": "cove",
    "dr": "drive driv drv",
    "est": "estate",
    "ests": "estates",
    "expy": "expressway exp expr express expw",
    "ext": "extension extn extnsn",
    "fwy": "freeway freewy frway frwy",
    "gdns": "gardens grdns",
    "grv": "grove grov",
    "hl": "hill",
    "hls": "hills",
    "holw": "hollow hllw holws",
    "hts": "heights ht",
    "hwy": "highway highwy hiway hiwy hway",
    "jct": "junction jction jctn junctn",
    "lk": "lake",
    "ln": "lane",
    "lndg": "landing lndng",
    "mdws": "meadows medows",
    "mnr": "manor",
    "mtn": "mountain mntain mntn mountin mtin",
    "pkwy": "parkway parkwy pkway pky",
    "pl": "place",
    "plz": "plaza plza",
    "pt": "point",
    "rd": "road",
    "rdg": "ridge rdge",
    "rte": "route",
    "sq": "square sqr sqre squ",
    "st": "street strt str",
    "sta": "station statn stn",
    "ter": "terrace terr",
    "tpke": "turnpike trnpk turnpk",
    "trce": "trace traces",
    "trl": "trail trails trls",
    "vis": "vista vist vst vsta",
    "vlg": "village vill villag villg",
    "vly": "valley vally vlly",
    "vw": "view",
    "xing": "crossing crssng",
}

_ORDINALS: Final = (
    *("first", "second", "third", "fourth", "fifth", "sixth"),
    *("seventh", "eighth", "ninth", "tenth", "eleventh", "twelfth"),
)
_NUMBERED: Final = ("1st", "2nd", "3rd", *(f"{number}th" for number in range(4, 13)))

STREET_WORDS: Final[dict[str, str]] = (
    CITY_WORDS
    | dict(zip(_ORDINALS, _NUMBERED, strict=True))
    | {written: short for short, ways in _STREET_TYPES.items() for written in ways.split()}
)
"""Words of a street's name and the abbreviation that stands for them, wherever in the name they are. Source: USPS
Publication 28, appendices B and C1, of which these are the common ones."""

_STATES: Final[dict[str, str]] = {
    "al": "alabama",
    "ak": "alaska",
    "az": "arizona",
    "ar": "arkansas",
    "ca": "california",
    "co": "colorado",
    "ct": "connecticut",
    "de": "delaware",
    "dc": "districtofcolumbia",
    "fl": "florida",
    "ga": "georgia",
    "hi": "hawaii",
    "id": "idaho",
    "il": "illinois",
    "in": "indiana",
    "ia": "iowa",
    "ks": "kansas",
    "ky": "kentucky",
    "la": "louisiana",
    "me": "maine",
    "md": "maryland",
    "ma": "massachusetts",
    "mi": "michigan",
    "mn": "minnesota",
    "ms": "mississippi",
    "mo": "missouri",
    "mt": "montana",
    "ne": "nebraska",
    "nv": "nevada",
    "nh": "newhampshire",
    "nj": "newjersey",
    "nm": "newmexico",
    "ny": "newyork",
    "nc": "northcarolina",
    "nd": "northdakota",
    "oh": "ohio",
    "ok": "oklahoma",
    "or": "oregon",
    "pa": "pennsylvania",
    "ri": "rhodeisland",
    "sc": "southcarolina",
    "sd": "southdakota",
    "tn": "tennessee",
    "tx": "texas",
    "ut": "utah",
    "vt": "vermont",
    "va": "virginia",
    "wa": "washington",
    "wv": "westvirginia",
    "wi": "wisconsin",
    "wy": "wyoming",
    "as": "americansamoa",
    "gu": "guam",
    "mp": "northernmarianaislands",
    "pr": "puertorico",
    "vi": "virginislands",
    "aa": "armedforcesamericas",
    "ae": "armedforceseurope",
    "ap": "armedforcespacific",
}

STATES: Final[dict[str, str]] = (
    {code: code for code in _STATES}
    | {name: code for code, name in _STATES.items()}
    | {"usvirginislands": "vi", "washingtondc": "dc"}
)
"""States, territories and military post of the United States: code or name without spaces to two-letter code."""

SEXES: Final[dict[str, str]] = {
    **dict.fromkeys(("m", "male", "man", "boy", "1"), "m"),
    **dict.fromkeys(("f", "female", "woman", "girl", "2"), "f"),
    **dict.fromkeys(("x", "nonbinary", "nb", "enby", "genderqueer", "genderfluid", "gendernonconforming"), "x"),
    **dict.fromkeys(("agender", "twospirit", "intersex", "indeterminate", "ambiguous", "other", "o"), "x"),
}
"""Ways to write a sex, without spaces; 1 and 2 as in ISO/IEC 5218, whose 0 and 9 are placeholders."""
