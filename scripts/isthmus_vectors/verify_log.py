"""Confirm the vectors of the audit log, from docs/protocol.md section 12 alone; shares no code with Isthmus.

The chain needs the standard library only. Signatures are confirmed where the package `cryptography` can be imported.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Callable
from typing import Any

try:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
except ImportError:
    HAS_CRYPTOGRAPHY = False
else:
    HAS_CRYPTOGRAPHY = True

Json = dict[str, Any]
Expect = Callable[[str, object, object], None]


def verify_chain(document: Json, expect: Expect) -> Counter[str]:
    """Confirm that events are canonical and chained, and what is said about the chain's end."""
    previous, seen = "0" * 64, Counter[str]()
    for number, entry in enumerate(document["events"], start=1):
        event = json.loads(entry["bytes"])
        place = f"event {number}"
        expect(f"{place}: canonical form", entry["bytes"], _canonical(event))
        expect(f"{place}: its place", (event["sequence"], event["previous"]), (number, previous))
        previous = hashlib.sha256(entry["bytes"].encode()).hexdigest()
        expect(f"{place}: hash", entry["hash"], previous)
        seen["events"] += 1
    said, last = json.loads(document["checkpoint"]["bytes"]), json.loads(document["events"][-1]["bytes"])
    expect("checkpoint: canonical form", document["checkpoint"]["bytes"], _canonical(said))
    expect("checkpoint: the chain's end", (said["sequence"], said["head"]), (len(document["events"]), previous))
    _verify_acknowledgement(document, last, expect)
    if HAS_CRYPTOGRAPHY:
        _verify_signature(document["checkpoint"], "isthmus/checkpoint/1", document["coordinator_key"])
        _verify_signature(document["acknowledgement"], "isthmus/log-acknowledgement/1", document["identity_key"])
        seen["signatures"] += 2
    return seen


def _verify_acknowledgement(document: Json, event: Json, expect: Expect) -> None:
    sequence, _, head = event["object"].partition(":")
    statement = {
        "format": "isthmus/log-acknowledgement/1",
        "scope": event["scope"],
        "party": event["actor"],
        "sequence": int(sequence),
        "head": head,
    }
    expect("acknowledgement: its action", event["action"], "log.acknowledge")
    expect("acknowledgement: bytes", document["acknowledgement"]["bytes"], _canonical(statement))
    expect("acknowledgement: signature in the log", event["outcome"], document["acknowledgement"]["signature"])
    expect("acknowledgement: end", head, document["events"][int(sequence) - 1]["hash"])


def _verify_signature(entry: Json, label: str, key: str) -> None:
    message = label.encode() + b"\0" + entry["bytes"].encode()
    Ed25519PublicKey.from_public_bytes(bytes.fromhex(key)).verify(bytes.fromhex(entry["signature"]), message)


def _canonical(document: Json) -> str:
    return json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
