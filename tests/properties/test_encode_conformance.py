"""clkhash 0.18.3 beside our encoder: the same bytes, and the same decision on every schema and value.

Where clkhash accepts a schema only to fail on the first record, we refuse the schema; that these are the only
differences is tested too.
"""

import json
import string
from typing import Any

import numpy as np
import pytest
from clkhash.clk import generate_clks
from clkhash.schema import Schema, convert_to_latest_version, from_json_dict
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from isthmus.contract.errors import InvalidLinkageSchema
from isthmus.contract.linkage_schema import LinkageSchema, parse_linkage_schema, with_kdf_info
from isthmus.node.encode.errors import InvalidValues
from isthmus.node.encode.interop import encode_interop
from isthmus.node.encode.reference import encode_reference

Document = dict[str, Any]

calm = settings(
    max_examples=80,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
)

SPECIAL = ["", " ", "N/A", "élan", "O'Neill-Smith", "ΑΒΓ", "𝄞 clef", "\ud800", "ß", "İ", "A" * 40, "\x00", "१२"]
NUMBERS = ["0", "-7", "+13", " 42 ", "1_000", "3.75", "1e3", "nan", "inf", "-0.0", "9" * 30, "1e400", "0x1f"]
DATES = ["1990-01-28", "2000-02-29", "2001-02-29", "1999-12-31", "0999-05-06", "1990-1-5", "19900128", "01/28/1990"]
WORDS = st.sampled_from(SPECIAL + NUMBERS + DATES) | st.text(max_size=12) | st.text(string.ascii_letters, max_size=9)
PATTERNS = ["[A-Z]+", "[0-9]{5}", "(a|b)*", ".*", "", r"\w+-\w+"]
DATE_FORMATS = ["%Y-%m-%d", "%Y%m%d", "%m/%d/%Y", "%d.%m.%y", "%Y-%j", "%B %Y", "%Q", "", "%d%m%Y", "%Y.%Y"]


def _some(required: dict[str, Any], optional: dict[str, Any]) -> st.SearchStrategy[Document]:
    return st.fixed_dictionaries(
        {key: value if isinstance(value, st.SearchStrategy) else st.just(value) for key, value in required.items()},
        optional=optional,
    )


ENCODINGS = st.sampled_from(["ascii", "utf-8", "utf-16", "utf-32"])
FORMATS = st.one_of(
    _some(
        {"type": "string"},
        {
            "encoding": ENCODINGS,
            "case": st.sampled_from(["upper", "lower", "mixed"]),
            "minLength": st.integers(0, 3),
            "maxLength": st.integers(1, 12),
        },
    ),
    _some({"type": "string"}, {"encoding": ENCODINGS}),
    _some({"type": "string", "pattern": st.sampled_from(PATTERNS)}, {"encoding": ENCODINGS}),
    _some({"type": "integer"}, {"minimum": st.integers(-9, 9), "maximum": st.integers(0, 2000)}),
    _some({"type": "date", "format": st.sampled_from(DATE_FORMATS)}, {}),
    _some({"type": "enum", "values": st.lists(WORDS, max_size=8)}, {"description": st.text(max_size=3)}),
)
COMPARISONS = st.one_of(
    _some({"type": "ngram", "n": st.integers(1, 4)}, {"positional": st.booleans()}),
    st.just({"type": "exact"}),
    _some(
        {
            "type": "numeric",
            "thresholdDistance": st.sampled_from([1, 2, 5, 0.25, 7.5, 1e6, 3**40]),
            "resolution": st.integers(1, 6),
        },
        {"fractional_precision": st.sampled_from([0, 1, 3, 0.0, 2.0])},
    ),
)
STRATEGIES = _some({"bitsPerToken": st.integers(1, 70)}, {}) | _some({"bitsPerFeature": st.integers(1, 200)}, {})
HASHES = st.one_of(
    _some({"type": "blakeHash"}, {}), _some({"type": "doubleHash"}, {"prevent_singularity": st.booleans()})
)
MISSING = _some({"sentinel": st.sampled_from(["", "N/A", "-7"])}, {"replaceWith": WORDS})
BASE64 = st.sampled_from(["", "c2FsdA==", "aW5mbw==", "SXN0aG11cw=="])
KDFS = _some(
    {"type": "HKDF"},
    {
        "hash": st.sampled_from(["SHA256", "SHA512"]),
        "salt": BASE64,
        "info": BASE64,
        "keySize": st.integers(1, 64),
    },
)
LENGTHS = st.sampled_from([1024, 512, 2048, 128, 1000, 12, 2, 1])
NAMES = st.sampled_from(["first name", "dob", "zip", "ü"])
IGNORED = _some({"identifier": NAMES, "ignored": True}, {"description": st.text(max_size=3)})


def _features(draw: st.DrawFn, feature: st.SearchStrategy[Document]) -> list[Document]:
    features = draw(st.lists(feature, min_size=1, max_size=3))
    if draw(st.integers(0, 3)) == 3:
        features.insert(draw(st.integers(0, len(features))), draw(IGNORED))
    return features


@st.composite
def schemas_v3(draw: st.DrawFn) -> Document:
    hashing = _some({"comparison": COMPARISONS, "strategy": STRATEGIES}, {"hash": HASHES, "missingValue": MISSING})
    feature = _some({"identifier": NAMES, "format": FORMATS, "hashing": hashing}, {"ignored": st.just(False)})
    config = _some({"l": LENGTHS, "kdf": KDFS}, {"xor_folds": st.integers(0, 3), "xorFolds": st.integers(0, 3)})
    features = _features(draw, feature)
    return {"version": 3, "clkConfig": draw(config), "features": features}


@st.composite
def schemas_v2(draw: st.DrawFn) -> Document:
    strategy = _some({"k": st.integers(1, 40)}, {}) | _some({"numBits": st.integers(1, 200)}, {})
    hashing = _some(
        {"ngram": st.integers(1, 3), "strategy": strategy},
        {"positional": st.booleans(), "hash": HASHES, "missingValue": MISSING},
    )
    feature = _some({"identifier": NAMES, "format": FORMATS, "hashing": hashing}, {"description": st.text(max_size=3)})
    config = _some({"l": LENGTHS, "kdf": KDFS}, {"xor_folds": st.integers(0, 2)})
    features = _features(draw, feature)
    return {"version": 2, "clkConfig": draw(config), "features": features}


@st.composite
def schemas_v1(draw: st.DrawFn) -> Document:
    hashing = _some(
        {"ngram": st.integers(0, 3)},
        {
            "positional": st.booleans(),
            "weight": st.sampled_from([0, 0.0, 0.01, 0.5, 1, 1.5, 2.25]),
            "missingValue": MISSING,
        },
    )
    feature = _some({"identifier": NAMES, "format": FORMATS, "hashing": hashing}, {"description": st.text(max_size=3)})
    config = _some(
        {"l": LENGTHS, "k": st.integers(1, 30), "kdf": KDFS, "hash": HASHES},
        {"xor_folds": st.integers(0, 2), "xorFolds": st.integers(0, 2)},
    )
    features = _features(draw, feature)
    return {"version": 1, "clkConfig": draw(config), "features": features}


LAWFUL = st.one_of(schemas_v3(), schemas_v3(), schemas_v2(), schemas_v1())
JUNK: st.SearchStrategy[Any] = st.sampled_from(
    [None, True, 0, -1, 2.0, 1.5, 3, "", "x", [], {}, {"type": "exact"}, 1e300, "=", 2**70]
)


@st.composite
def damaged(draw: st.DrawFn) -> Document:
    """A lawful schema with one or two members changed, dropped or added anywhere in it."""
    document: Document = json.loads(json.dumps(draw(LAWFUL)))
    for _ in range(draw(st.integers(1, 2))):
        places = list(_places(document))
        holder, key = draw(st.sampled_from(places))
        match draw(st.sampled_from(["change", "drop", "add"])):
            case "change":
                holder[key] = draw(JUNK)
            case "drop":
                del holder[key]
            case _ if isinstance(holder, dict):
                holder[draw(st.sampled_from(["ignored", "weight", "pattern", "k", "type", "xor_folds"]))] = draw(JUNK)
            case _:
                holder.append(draw(JUNK))
    return document


def _places(value: Any) -> Any:
    """Every (holder, key) below a JSON value."""
    keys = value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    for key in list(keys):
        yield value, key
        yield from _places(value[key])


def _clkhash_schema(document: Document) -> Schema | None:
    try:
        return from_json_dict(json.loads(json.dumps(document)))
    except Exception:  # noqa: BLE001 - clkhash refuses with whatever it happens to run into.
        return None


def _clkhash_rows(schema: Schema, rows: list[tuple[str, ...]], secret: bytes) -> bytes | None:
    try:
        return b"".join(clk.tobytes() for clk in generate_clks(rows, schema, secret, max_workers=1))
    except Exception:  # noqa: BLE001 - as above.
        return None


def _our_schema(document: Document) -> LinkageSchema | None:
    try:
        return parse_linkage_schema(document)
    except InvalidLinkageSchema:
        return None


def _our_rows(schema: LinkageSchema, columns: list[list[str]], secret: bytes) -> bytes | None:
    try:
        return encode_interop(columns, schema=schema, secret=secret).tobytes()
    except InvalidValues:
        return None


def _fitting_values(feature: Document) -> st.SearchStrategy[str]:
    """Values that often fit a version 3 feature, so that most rows of a test are encoded."""
    form = feature.get("format", {})
    match form.get("type"):
        case "enum" if form["values"]:
            return st.sampled_from(form["values"])
        case "integer":
            return st.integers(0, 9).map(str)
        case "date":
            return st.dates().map(lambda day: day.strftime(form["format"]) if "%Q" not in form["format"] else "")
        case "string" if form.get("case") == "upper":
            return st.text(string.ascii_uppercase, min_size=3, max_size=9)
        case _:
            return st.text(string.digits + "abcz", min_size=3, max_size=9)


@st.composite
def columns_of(draw: st.DrawFn, document: Document) -> list[list[str]]:
    """Columns for a schema; in most draws every value fits its feature."""
    rows = draw(st.integers(2, 6))
    wild = draw(st.sampled_from([False, False, False, True]))
    return [
        draw(st.lists(WORDS if wild else _fitting_values(feature), min_size=rows, max_size=rows))
        for feature in document["features"]
    ]


@pytest.mark.slow
@calm
@given(data=st.data(), document=LAWFUL, secret=st.binary(max_size=40))
def test_encode_interop_gives_clkhash_bytes_or_refuses_like_it(
    data: st.DataObject, document: Document, secret: bytes
) -> None:
    ours, theirs = _our_schema(document), _clkhash_schema(document)
    if ours is None or theirs is None:
        return
    columns = data.draw(columns_of(ours.to_dict()))
    expected = _clkhash_rows(theirs, list(zip(*columns, strict=True)), secret)
    assert _our_rows(ours, columns, secret) == expected


@pytest.mark.slow
@calm
@given(document=LAWFUL | damaged())
def test_parse_refuses_what_clkhash_refuses(document: Document) -> None:
    if _clkhash_schema(document) is None:
        assert _our_schema(document) is None


@pytest.mark.slow
@calm
@given(data=st.data(), document=LAWFUL | damaged())
def test_parse_refuses_more_only_where_clkhash_fails_on_every_record(data: st.DataObject, document: Document) -> None:
    theirs = _clkhash_schema(document)
    if theirs is None or _our_schema(document) is not None:
        return
    columns = data.draw(columns_of(convert_to_latest_version(json.loads(json.dumps(document)))))
    # A record without tokens passes clkhash unhashed, whatever the schema.
    rows = [row for row in zip(*columns, strict=True) if all(row)]
    assert not rows or _clkhash_rows(theirs, rows, b"secret") is None


@pytest.mark.slow
@calm
@given(document=LAWFUL)
def test_upgraded_document_is_what_clkhash_upgrades_to(document: Document) -> None:
    ours = _our_schema(document)
    if ours is not None:
        assert ours.to_dict() == convert_to_latest_version(document)


@pytest.mark.slow
@calm
@given(document=schemas_v3(), info=st.binary(max_size=20))
def test_kdf_info_reaches_the_document_that_clkhash_reads(document: Document, info: bytes) -> None:
    ours = _our_schema(document)
    if ours is None:
        return
    changed = with_kdf_info(ours, info)
    assert from_json_dict(changed.to_dict()).kdf_info == changed.kdf.info == info
    assert parse_linkage_schema(changed.to_dict()) == changed


def test_many_rows_of_real_looking_people_encode_as_clkhash_does() -> None:
    document = {
        "version": 3,
        "clkConfig": {"l": 1024, "kdf": {"type": "HKDF"}},
        "features": [
            {
                "identifier": name,
                "format": {"type": "string"},
                "hashing": {
                    "comparison": {"type": "ngram", "n": 2, "positional": name == "zip"},
                    "strategy": {"bitsPerFeature": 150},
                },
            }
            for name in ("first", "last", "zip")
        ],
    }
    rng = np.random.default_rng(5)
    columns = [["".join(rng.choice(list("abcdé "), rng.integers(0, 9))) for _ in range(400)] for _ in range(3)]
    schema = parse_linkage_schema(document)
    ours = encode_interop(columns, schema=schema, secret=b"s")
    assert np.array_equal(ours, encode_reference(columns, schema=schema, secret=b"s"))
