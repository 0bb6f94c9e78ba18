"""Confirm buckets of keyed blocks from docs/protocol.md, section 5, alone; shares no code with Isthmus.

What the block keys are made of is read from the table of match keys on that page. Standard library only.
"""

from collections import Counter
from typing import Any

from isthmus_vectors.verify_match_keys import Derive, Expect, keys_for, tagged

Json = dict[str, Any]


def verify_blocks(document: Json, derive: Derive, expect: Expect) -> Counter[str]:
    """Confirm keys, tags and buckets of every case; give how many of each."""
    seen: Counter[str] = Counter()
    for case in document["cases"]:
        info = f"isthmus/1|block|{case['project']}|{case['round_id']}"
        expect(f"{case['name']}: block key", case["block_key"], derive(bytes.fromhex(case["linkage_key"]), info).hex())
        people = [dict(zip(case["fields"], record, strict=True)) for record in case["records"]]
        match_keys = {each["name"]: each for each in keys_for(case["fields"], "hardened-1")}
        for name, written in case["block_keys"].items():
            key = derive(bytes.fromhex(case["block_key"]), f"isthmus/1|block|{name}")
            expect(f"{case['name']}, {name}: key", written["key"], key.hex())
            rows = [
                one | {"bucket": bucket(one["tag"], case["buckets"])} for one in tagged(people, match_keys[name], key)
            ]
            expect(f"{case['name']}, {name}: rows", written["rows"], rows)
            seen += Counter({"keys": 1, "buckets": len(rows)})
    return seen


def bucket(tag: str, buckets: int) -> int:
    """Give the number that the first eight bytes of a tag in hex make."""
    return int(tag[:16], 16) % buckets + 1
