"""Project files for tests: a lawful one, with some keys changed."""

import json
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from isthmus.contract.ids import AgreementId, ProjectId

PROJECT = ProjectId("k12-to-work")
AGREEMENT = AgreementId("school-and-work")
FIELDS = ("first_name", "last_name", "dob")


def project_text(
    *,
    providers: Sequence[str],
    lead: str | None = None,
    max_rows: int = 100_000,
    repeats: Sequence[str] = (),
    fields: Mapping[str, Sequence[str]] = MappingProxyType({}),
    **changes: Any,
) -> str:
    """Give a lawful project file, with some keys changed; the first provider leads unless another is named.

    `repeats` are the providers whose data sets may repeat people, `fields` what some of them bring beside `FIELDS`.
    """
    settings: dict[str, Any] = {
        "format": "isthmus/project/5",
        "agreement": AGREEMENT,
        "id": PROJECT,
        "title": "From school to work",
        "purpose": "Count how many pupils of the district are in training or work a year later.",
        "lead": lead or providers[0],
        "profile": "interop-1",
        "reveal": "linked",
        "analysts": [],
        "min_cell_count": 5,
    }
    lines = [f"{key} = {_toml(value)}" for key, value in (settings | changes).items()]
    for provider in providers:
        brought = json.dumps([*FIELDS, *fields.get(provider, ())])
        lines += ["[[providers]]", f'party = "{provider}"', 'dataset = "people"', f"fields = {brought}"]
        lines += [f"max_rows = {max_rows}", *(["repeats = true"] if provider in repeats else [])]
    return "\n".join(lines) + "\n"


def _toml(value: Any) -> str:
    """Give a value as TOML, which has tables where JSON has objects."""
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {_toml(one)}" for key, one in value.items()) + " }"
    return json.dumps(value)
