"""Confirm vectors of agreements, from docs/protocol.md, sections 3 and 16; shares no code with Isthmus.

Canonical form, hashes and the chain need the standard library only. Where the package `cryptography` can be imported,
signatures are confirmed with it, too.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Callable
from typing import Any

try:
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
except ImportError:
    HAS_CRYPTOGRAPHY = False
else:
    HAS_CRYPTOGRAPHY = True

Json = dict[str, Any]
Expect = Callable[[str, object, object], None]


def verify_versions(document: Json, expect: Expect) -> Counter[str]:
    """Confirm every version, that each names the one before, and the withdrawal; give how many of each."""
    seen: Counter[str] = Counter()
    keys, before = document["identity_keys"], None
    for number, version in enumerate(document["versions"], start=1):
        found, text = version["document"], version["canonical"]
        place = f"version {number}"
        expect(f"{place}: canonical", text, _canonical(found))
        expect(f"{place}: hash", version["digest"], hashlib.sha256(text.encode()).hexdigest())
        named = (found["format"], found["version"], found["previous"])
        expect(f"{place}: place in the chain", named, ("isthmus/agreement/1", number, before))
        pinned = {one["party"]: one["identity_key"] for one in found["parties"] if "provider" in one["roles"]}
        expect(f"{place}: pinned keys", pinned, keys)
        expect(f"{place}: who signed", sorted(version["signatures"]), sorted(pinned))
        for party, signature in version["signatures"].items():
            seen["signatures"] += _signature(place, keys[party], "isthmus/agreement/1", text, signature, expect)
        before = version["digest"]
        seen["versions"] += 1
    left = document["withdrawal"]
    expect("withdrawal: document", json.loads(left["canonical"]), json.loads(left["canonical"]) | _left(left, before))
    expect("withdrawal: canonical", left["canonical"], _canonical(json.loads(left["canonical"])))
    label = "isthmus/agreement-withdrawal/1"
    seen["signatures"] += _signature(
        "withdrawal", keys[left["party"]], label, left["canonical"], left["signature"], expect
    )
    seen["withdrawals"] += 1
    return seen


def _left(left: Json, digest: object) -> Json:
    return {"format": "isthmus/agreement-withdrawal/1", "digest": digest, "party": left["party"]}


def _canonical(document: Json) -> str:
    """RFC 8785 for what these documents hold: keys in ASCII, whole numbers, text, null."""
    return json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def _signature(place: str, key: str, label: str, text: str, signature: str, expect: Expect) -> int:
    if not HAS_CRYPTOGRAPHY:
        return 0
    message = label.encode() + b"\0" + text.encode()
    try:
        Ed25519PublicKey.from_public_bytes(bytes.fromhex(key)).verify(bytes.fromhex(signature), message)
    except InvalidSignature:
        expect(f"{place}: signature", signature, "another one")
    return 1
