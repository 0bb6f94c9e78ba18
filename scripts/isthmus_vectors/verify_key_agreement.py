"""Confirm vectors of the key agreement, from docs/decisions/0010-key-agreement.md alone; shares no code with Isthmus.

Commitments, transcripts, masters, MACs, round keys and fingerprints need the standard library only. Where the package
`cryptography` can be imported, public keys, signatures and wraps are confirmed with it, too.
"""

import hashlib
import hmac
import json
from collections import Counter
from collections.abc import Callable
from typing import Any

try:
    from cryptography.hazmat.primitives import hpke
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
    from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
except ImportError:
    HAS_CRYPTOGRAPHY = False
else:
    HAS_CRYPTOGRAPHY = True

Json = dict[str, Any]
Expect = Callable[[str, object, object], None]


def verify_agreements(document: Json, expect: Expect) -> Counter[str]:
    """Confirm every case; give how many values of each kind were confirmed."""
    seen: Counter[str] = Counter()
    for case in document["cases"]:
        members = {member["party"]: member for member in case["members"]}
        for member in members.values():
            _verify_member(member, case["name"], expect)
        for contribution in case["contributions"]:
            _verify_contribution(contribution, case, members, expect)
        _verify_master(case, members, expect)
        seen.update({"fingerprints": len(members), "commitments": len(members), "masters": 1})
        seen.update({"confirmations": len(case["confirmations"]), "round keys": len(case["round_keys"])})
        if HAS_CRYPTOGRAPHY:
            for contribution in case["contributions"]:
                seen["wraps"] += _open_wraps(contribution, case, members, expect)
            seen["signatures"] += _verify_signatures(case, members)
    return seen


def _verify_member(member: Json, case: str, expect: Expect) -> None:
    keys = bytes.fromhex(member["identity_key"]) + bytes.fromhex(member["agreement_key"])
    digest = hashlib.sha256(b"isthmus/fingerprint/1\0" + member["party"].encode() + b"\0" + keys).hexdigest()
    number = str(int(digest, 16) % 10**60).zfill(60)
    groups = [number[place : place + 5] for place in range(0, 60, 5)]
    text = "\n".join([" ".join(groups[:4]), " ".join(groups[4:8]), " ".join(groups[8:])])
    expect(f"{case}, {member['party']}: fingerprint", member["fingerprint"], digest)
    expect(f"{case}, {member['party']}: fingerprint text", member["fingerprint_text"], text)
    if HAS_CRYPTOGRAPHY:
        signing = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(member["signing_private"]))
        agreement = X25519PrivateKey.from_private_bytes(bytes.fromhex(member["agreement_private"]))
        public = signing.public_key().public_bytes_raw() + agreement.public_key().public_bytes_raw()
        expect(f"{case}, {member['party']}: public keys", keys, public)


def _verify_contribution(document: Json, case: Json, members: dict[str, Json], expect: Expect) -> None:
    sender = document["sender"]
    place = f"{case['name']}, contribution of {sender}"
    expect(f"{place}: format", document["format"], "isthmus/key-wraps/1")
    expect(f"{place}: terms", (document["agreement"], document["epoch"]), (case["agreement"], case["epoch"]))
    recipients = [wrap["recipient"] for wrap in document["wraps"]]
    expect(f"{place}: recipients", recipients, sorted(set(members) - {sender}))
    message = f"isthmus/key-commitment/1|{case['agreement']}|{case['epoch']}|{sender}"
    expect(f"{place}: commitment", document["commitment"], _mac(members[sender]["secret"], message).hex())


def _verify_master(case: Json, members: dict[str, Json], expect: Expect) -> None:
    agreement, epoch = bytes.fromhex(case["agreement"]), case["epoch"]
    digests = [hashlib.sha256(_canonical(one)).digest() for one in case["contributions"]]
    head = b"isthmus/key-transcript/1\0" + agreement + epoch.to_bytes(4, "big")
    transcript = hashlib.sha256(head + b"".join(digests)).hexdigest()
    expect(f"{case['name']}: transcript", case["transcript"], transcript)
    secrets = b"".join(b"\x00\x20" + bytes.fromhex(members[party]["secret"]) for party in sorted(members))
    master = _hkdf(secrets, agreement, f"isthmus/key-master/1|{epoch}").hex()
    expect(f"{case['name']}: master", case["master"], master)
    seen = [{"sender": party, "digest": each.hex()} for party, each in zip(sorted(members), digests, strict=True)]
    for party, document in zip(sorted(members), case["confirmations"], strict=True):
        mac = _mac(master, f"isthmus/key-confirm/1|{party}|{transcript}").hex()
        written = (document["party"], document["seen"], document["mac"], document["format"])
        expect(f"{case['name']}: confirmation", written, (party, seen, mac, "isthmus/key-confirmation/1"))
    for label, key in case["round_keys"].items():
        expect(f"{case['name']}: round key {label}", key, _round_key(case, label).hex())
    check = hmac.digest(_round_key(case, "kcv"), b"isthmus/key-check/1", "sha256")[:16]
    expect(f"{case['name']}: key check", case["key_check"], check.hex())


def _open_wraps(document: Json, case: Json, members: dict[str, Json], expect: Expect) -> int:
    suite = hpke.Suite(hpke.KEM.X25519, hpke.KDF.HKDF_SHA256, hpke.AEAD.AES_256_GCM)
    sender = document["sender"]
    for wrap in document["wraps"]:
        key = X25519PrivateKey.from_private_bytes(bytes.fromhex(members[wrap["recipient"]]["agreement_private"]))
        info = f"isthmus/key-wrap/1|{case['agreement']}|{case['epoch']}|{sender}|{wrap['recipient']}".encode()
        opened = suite.decrypt(bytes.fromhex(wrap["sealed"]), key, info=info)
        expect(f"{case['name']}: {sender} to {wrap['recipient']}", members[sender]["secret"], opened.hex())
    return len(document["wraps"])


def _verify_signatures(case: Json, members: dict[str, Json]) -> int:
    """Raise `cryptography`'s own error where a signature does not hold."""
    for document in [*case["contributions"], *case["confirmations"]]:
        party = document.get("sender") or document["party"]
        key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(members[party]["identity_key"]))
        content = {name: value for name, value in document.items() if name != "signature"}
        message = document["format"].encode() + b"\0" + _canonical(content)
        key.verify(bytes.fromhex(document["signature"]), message)
    return len(case["contributions"]) + len(case["confirmations"])


def _canonical(document: Json) -> bytes:
    """RFC 8785 for what is in these documents: ASCII text and small whole numbers."""
    return json.dumps(document, sort_keys=True, separators=(",", ":")).encode()


def _round_key(case: Json, label: str) -> bytes:
    info = f"isthmus/1|{label}|{case['project']}|{case['round_id']}"
    return _hkdf(bytes.fromhex(case["master"]), bytes(32), info)


def _hkdf(material: bytes, salt: bytes, info: str) -> bytes:
    """RFC 5869, one block."""
    return hmac.digest(hmac.digest(salt, material, "sha256"), info.encode() + b"\x01", "sha256")


def _mac(key: str, message: str) -> bytes:
    return hmac.digest(bytes.fromhex(key), message.encode(), "sha256")
