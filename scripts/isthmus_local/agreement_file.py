"""An agreement file for made-up parties, as the local round, the demonstrations and the tests need it."""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from typing import Any, Final

LIFETIME: Final = timedelta(days=730)
"""How long the made-up agreements count; their data go a month after."""


def agreement_file(
    agreement: str,
    *,
    providers: Mapping[str, str] | Sequence[str],
    analysts: Iterable[str] = (),
    auditors: Iterable[str] = (),
    effective: date,
    lead: str | None = None,
    **changes: Any,
) -> str:
    """Give a lawful agreement file, with some keys changed; the first provider leads unless another is named.

    `providers` are ids, with the kind of each if it is another than a district. None as a change leaves a key out.
    """
    kinds = providers if isinstance(providers, Mapping) else dict.fromkeys(providers, "district")
    settings: dict[str, Any] = {
        "format": "isthmus/agreement/1",
        "id": agreement,
        "title": "From school to work",
        "purpose": "Describe for the state's annual report how young people of the districts reach the labour market.",
        "scope": "Pupils of the last five school years, by name, birth date and address; made-up people only.",
        "legal_basis": "studies",
        "other_law": "None: all people are made up.",
        "effective": effective,
        "expires": effective + LIFETIME,
        "frequency": "every year in autumn",
        "publication_review_days": 30,
        "breach_notice_hours": 48,
        "lead": lead or next(iter(kinds)),
        "redisclosure": {"rule": "aggregates-only", "note": "To the public, with the sources named."},
        "retention": {
            "keep_days": 30,
            "method": "Every party overwrites and deletes encodings, scores and keys, and confirms it in writing.",
            "destroy_by": effective + LIFETIME + timedelta(days=31),
        },
    }
    lines = [f"{key} = {_toml(value)}" for key, value in (settings | changes).items() if value is not None]
    for party, kind in kinds.items():
        lines += _party(party, kind, "provider")
    for party in analysts:
        lines += _party(party, "analyst", "analyst")
    for party in auditors:
        lines += _party(party, "state-agency", "auditor")
    return "\n".join(lines) + "\n"


def _party(party: str, kind: str, role: str) -> list[str]:
    contacts = {
        "signatory": f"Superintendent of {party}",
        "steward": f"Data office of {party}",
        "security_contact": f"security@{party}.example",
        "privacy_contact": f"privacy@{party}.example",
    }
    named = {"party": party, "name": party.title(), "kind": kind, "roles": [role]} | contacts
    return ["", "[[parties]]", *(f"{key} = {_toml(value)}" for key, value in named.items())]


def _toml(value: Any) -> str:
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{key} = {_toml(one)}" for key, one in value.items() if one is not None) + " }"
    return json.dumps(value, ensure_ascii=False)
