"""The node's loop waits out what passes: a coordinator that does not answer, or has no room."""

from collections.abc import Iterator
from contextlib import closing, nullcontext
from datetime import UTC, datetime
from pathlib import Path

import pytest
from unit.node.parts import identity

from isthmus.contract.clock import FixedClock
from isthmus.contract.errors import Internal, IsthmusError, StorageUnavailable, Unreachable
from isthmus.contract.views import RoundView
from isthmus.node import daemon
from isthmus.node.config import FILE_NAME, NodeConfig
from isthmus.node.keys.folder import KeyFolder
from isthmus.node.node import Node
from isthmus.node.vault import open_vault
from isthmus.party.identity import PLAIN

LOST = Unreachable(address="hub.example.org:7443", problem="nobody answers")
FULL = StorageUnavailable(problem="its disk is full")


class _Ended(KeyboardInterrupt):
    """Somebody stops the loop."""


class _Hub:
    """Fails as it is told; then the loop is stopped."""

    def __init__(self, *failures: IsthmusError) -> None:
        self.failures = list(failures)

    def list_rounds(self) -> list[RoundView]:
        if not self.failures:
            raise _Ended
        raise self.failures.pop(0)


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Node]:
    (tmp_path / FILE_NAME).write_text("")
    with closing(open_vault(tmp_path / "vault.sqlite")) as vault:
        yield Node(
            folder=tmp_path,
            config=NodeConfig(),
            identity=identity(),
            vault=vault,
            keys=KeyFolder(folder=tmp_path / "keys", files=PLAIN),
            random_bytes=bytes,
            clock=FixedClock(datetime(2026, 9, 15, 12, tzinfo=UTC)),
        )


def _run(node: Node, hub: _Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(daemon, "connect", lambda _identity: nullcontext(hub))
    monkeypatch.setattr(daemon, "RETRY_S", 0.0)
    daemon.run_rounds(node, project=None, round_id=None, once=False)


def test_loop_goes_on_after_a_coordinator_that_did_not_answer_or_had_no_room(
    node: Node, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    hub = _Hub(LOST, FULL, FULL)

    with pytest.raises(_Ended):
        _run(node, hub, monkeypatch)

    assert hub.failures == []
    said = capsys.readouterr().err
    assert "does not answer; trying again" in said
    assert "cannot store anything at the moment; trying again" in said


@pytest.mark.parametrize("fault", [LOST, FULL])
def test_loop_ends_with_the_fault_itself_once_it_has_waited_long_enough(
    node: Node, monkeypatch: pytest.MonkeyPatch, fault: IsthmusError
) -> None:
    with pytest.raises(type(fault)) as ended:
        _run(node, _Hub(*[fault] * (daemon.RETRIES + 1)), monkeypatch)

    assert ended.value.spec.exit_code == 7


def test_loop_does_not_wait_out_what_does_not_pass(node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    hub = _Hub(Internal(reference="0"), FULL)

    with pytest.raises(Internal):
        _run(node, hub, monkeypatch)

    assert hub.failures == [FULL]
