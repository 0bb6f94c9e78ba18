"""What a node does not send: rows of people who opted out before the first one left, and rows that were refused."""

from pathlib import Path
from typing import Any

import pytest
from e2e.test_opt_out import _opt_out, _scene, _silent, live
from live import Live

from isthmus.contract.errors import SubmissionMalformed, Unreachable
from isthmus.node.client import Client
from isthmus.node.errors import RefusedByPolicy
from isthmus.node.take_part import take_step

__all__ = ["live"]

pytestmark = [pytest.mark.process, pytest.mark.slow]


class _Deaf:
    """A coordinator that takes no declaration."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)

    def open_submission(self, *_args: object, **_keywords: object) -> None:
        raise Unreachable(address="hub:1", problem="nobody answers")


def test_nobody_is_sent_who_opted_out_after_the_declaration_and_before_the_first_row(
    live: Live, tmp_path: Path
) -> None:
    with _scene(live, tmp_path, reveal="linked", profile="hardened-1", name="deaf") as scene:
        with pytest.raises(Unreachable):
            take_step(scene.nodes[0], _Deaf(scene.clients[0]), scene.round_id, report=_silent)  # type: ignore[arg-type] # it is all of a client but for a call
        _opt_out(scene.folder, "add", "0001", "--reason", "court_order")

        with pytest.raises(RefusedByPolicy, match="opted out"):
            scene.step(0)

        with live.installation.context.store.read() as tx:
            assert not list(tx.submissions.chunks(scene.round_id, scene.nodes[0].identity.party))


def test_rows_that_the_coordinator_refused_are_not_sent_again(live: Live, tmp_path: Path) -> None:
    with _scene(live, tmp_path, reveal="linked", profile="hardened-1", name="loop") as scene:
        rows = [f"{number},Anna,Fictional,1990-02-1{number % 2}," for number in range(300)]
        (scene.folder / "people.csv").write_text("\n".join(["Nr,First,Last,Born,OptOut", *rows]) + "\n")

        with pytest.raises(SubmissionMalformed):
            scene.step(0)
        events = _events(live)
        with pytest.raises(RefusedByPolicy, match="refused the rows"):
            scene.step(0)

        assert _events(live) == events


def _events(live: Live) -> int:
    with live.installation.context.store.read() as tx:
        return sum(len(list(tx.events(scope))) for scope in ("project-deaf", "project-loop"))
