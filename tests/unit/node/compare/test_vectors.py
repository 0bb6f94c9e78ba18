"""Field comparison's vectors: our code computes them, and the independent program notices any change of one."""

import json
import runpy
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from isthmus.contract.canonical import sha256
from isthmus.contract.comparison import comparison_1
from isthmus.contract.ids import PartyId
from isthmus.contract.secret import Secret
from isthmus.coordinator.match.compare.differences import read_differences
from isthmus.node.compare.answers import Answers, Side
from isthmus.node.compare.pads import PadKeys, consecutive, pads_of_lists
from isthmus.node.compare.row_fields import read_row_fields

ROOT = Path(__file__).resolve().parents[4]
DOCUMENT: dict[str, Any] = json.loads((ROOT / "tests" / "vectors" / "comparison.json").read_text(encoding="utf-8"))


def _pads(case: dict[str, Any], pad: Secret) -> Secret:
    left, right = (case["lists"][side.value] for side in Side)
    lists = sha256(b"".join(bytes.fromhex(one[what]) for what in ("submission", "rows") for one in (left, right)))
    return pads_of_lists(pad, lists)


def _node(case: dict[str, Any], side: Side) -> Answers:
    comparison = comparison_1(case["fields"])
    compare, pad = (Secret(bytes.fromhex(case[f"{label}_key"])) for label in ("compare", "pad"))
    rows = [row["values"] for row in case[side.value]]
    columns = {field: [row.get(field, "") for row in rows] for field in comparison.fields}
    left, right = map(PartyId, case["providers"])
    return Answers(
        comparison=comparison,
        rows=read_row_fields(columns, comparison, compare=compare, pad=pad),
        keys=PadKeys(pad=_pads(case, pad), left=left, right=right),
        side=side,
        random_bytes=lambda count: bytes([DOCUMENT["noise"]]) * count,
    )


@pytest.mark.parametrize("case", DOCUMENT["cases"], ids=lambda case: str(case["name"]))
def test_answers_and_differences_are_those_of_the_vectors(case: dict[str, Any]) -> None:
    nodes = [_node(case, side) for side in Side]

    for written in case["pairs"]:
        number, *rows = written["pair"]
        answers = [
            node.of(np.array([row], np.uint32), numbers=consecutive(number, 1))
            for node, row in zip(nodes, rows, strict=True)
        ]
        told = read_differences(answers[0], answers[1], nodes[0].comparison).by_part
        assert [answer.tobytes().hex() for answer in answers] == [written["left"], written["right"]]
        assert {name: int(one[0]) if one[0] >= 0 else None for name, one in told.items()} == written["differences"]


def _flip(text: str) -> str:
    return text[:-1] + ("0" if text[-1] != "0" else "1")


@pytest.mark.parametrize(
    "step", ["key", "lists", "part", "vector", "number", "band", "left", "right", "difference", "presence", "nickname"]
)
def test_independent_program_notices_a_changed_vector(step: str) -> None:
    verifier = runpy.run_path(str(ROOT / "scripts" / "verify_vectors"))
    document = json.loads(json.dumps(DOCUMENT))
    case = document["cases"][0]
    row, pair = case["left"][0], case["pairs"][0]
    match step:
        case "key":
            case["pad_key"] = _flip(case["pad_key"])
        case "lists":
            case["lists"]["right"]["rows"] = _flip(case["lists"]["right"]["rows"])
        case "part":
            case["parts"].pop()
        case "vector":
            row["vectors"]["dob.day"] = _flip(row["vectors"]["dob.day"])
        case "number":
            row["numbers"]["word:last_name.word0"] += 1
        case "band":
            row["bands"]["first_name"] += 1
        case "difference":
            pair["differences"]["first_name=last_name"] = 1
        case "presence":
            pair["left"] = "00" + pair["left"][2:]
        case "nickname":
            document["nicknames"] = [names for names in document["nicknames"] if "bill" not in names]
        case _:
            pair[step] = _flip(pair[step])
    with pytest.raises(verifier["Mismatch"], match="every-field"):
        verifier["verify_comparison"](document)
