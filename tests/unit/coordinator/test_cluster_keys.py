"""Keys of a cluster: a root of their own, and settings that say what is missing."""

import ssl
from pathlib import Path
from stat import S_IMODE

import pytest
from click.testing import CliRunner
from cryptography import x509

from isthmus.contract.clock import SystemClock
from isthmus.coordinator.cli import main
from isthmus.coordinator.cluster import ClusterExecutor
from isthmus.coordinator.config import load_config
from isthmus.coordinator.serve import cluster_executor
from isthmus.coordinator.setup import make_cluster_keys, make_installation
from isthmus.party.errors import SettingsInvalid


@pytest.fixture
def hub(tmp_path: Path) -> Path:
    """A coordinator's folder."""
    folder = tmp_path / "hub"
    make_installation(
        folder, address="127.0.0.1", host="localhost", service_port=1, enrolment_port=2, clock=SystemClock()
    )
    return folder


def test_the_keys_of_a_cluster_are_of_a_root_apart_and_for_their_owner_alone(hub: Path, tmp_path: Path) -> None:
    result = CliRunner().invoke(main, ["cluster-keys", str(tmp_path / "out"), "--dir", str(hub)])

    assert result.exit_code == 0, result.output
    made = {path.name: path for path in (tmp_path / "out").iterdir()}
    assert set(made) == {"root.crt", "member.crt", "member.key"}
    assert {S_IMODE(path.stat().st_mode) for path in made.values()} == {0o600}
    root = x509.load_pem_x509_certificate(made["root.crt"].read_bytes())
    parties = x509.load_pem_x509_certificate((hub / "authority" / "root.crt").read_bytes())
    x509.load_pem_x509_certificate(made["member.crt"].read_bytes()).verify_directly_issued_by(root)
    assert root.public_key() != parties.public_key()
    ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(made["member.crt"], made["member.key"])


def test_keys_made_again_are_of_the_same_root(hub: Path, tmp_path: Path) -> None:
    for name in ("one", "two"):
        make_cluster_keys(hub, tmp_path / name, clock=SystemClock())
    one, two = ((tmp_path / name / "root.crt").read_bytes() for name in ("one", "two"))
    assert one == two
    assert (tmp_path / "one" / "member.key").read_bytes() != (tmp_path / "two" / "member.key").read_bytes()


def test_settings_with_a_scheduler_and_no_keys_say_how_to_make_them(hub: Path) -> None:
    assert cluster_executor(hub, "") is None
    with pytest.raises(SettingsInvalid, match="cluster-keys"):
        cluster_executor(hub, "tls://hub:8786")


def test_settings_with_a_scheduler_and_keys_give_its_executor(hub: Path, tmp_path: Path) -> None:
    make_cluster_keys(hub, tmp_path / "out", clock=SystemClock())
    assert isinstance(cluster_executor(hub, "tls://hub:8786"), ClusterExecutor)


@pytest.mark.parametrize("scheduler", ["tcp://hub:8786", "hub:8786", "tls://hub"])
def test_a_scheduler_that_is_not_under_tls_is_refused(hub: Path, scheduler: str) -> None:
    settings = hub / "coordinator.toml"
    settings.write_text(f'{settings.read_text()}\ncluster = "{scheduler}"\n')
    with pytest.raises(SettingsInvalid, match="cluster"):
        load_config(hub)
