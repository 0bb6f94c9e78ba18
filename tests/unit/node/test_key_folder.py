"""Keys on disk: the folder of round keys, plain and sealed files, and where a passphrase or credential comes from."""

from pathlib import Path
from stat import S_IMODE

import pytest
from unit.node.key_parts import keys_of, secret_of, terms_of

from isthmus.contract.errors import MalformedDocument
from isthmus.contract.ids import RoundId
from isthmus.contract.secret import Secret
from isthmus.node.errors import KeyMissing
from isthmus.node.keys.agreement import make_contribution
from isthmus.node.keys.errors import WeakSecret, WrongPassphrase
from isthmus.node.keys.files import SealedFiles, key_files
from isthmus.node.keys.folder import KeyFolder
from isthmus.node.keys.sealed import Credential, ScryptCost
from isthmus.party.errors import SettingsInvalid
from isthmus.party.identity import PLAIN, KeyFiles

ROUND, OTHER = RoundId("demo-0000000001"), RoundId("demo-0000000002")
OWNERS = [keys_of("riverside"), keys_of("college")]
TERMS = terms_of(OWNERS)
MINE = make_contribution(secret_of("riverside"), terms=TERMS, own=OWNERS[0])
MASTER = Secret(bytes(range(32)))
CHEAP = ScryptCost(n=2)


def _random(count: int) -> bytes:
    return bytes(range(count))


def _sealed(byte: int = 1) -> SealedFiles:
    return SealedFiles(opener=Credential(key=Secret(bytes([byte]) * 32)), random_bytes=_random)


@pytest.mark.parametrize("files", [PLAIN, _sealed()], ids=["plain", "sealed"])
def test_part_and_then_master_are_kept_for_their_owner_alone_until_forgotten(tmp_path: Path, files: KeyFiles) -> None:
    keys = KeyFolder(folder=tmp_path / "keys", files=files)
    assert keys.contribution(ROUND, terms=TERMS, own=OWNERS[0]) is None
    keys.save_contribution(ROUND, MINE)
    kept = keys.contribution(ROUND, terms=TERMS, own=OWNERS[0])
    assert kept is not None and kept.wraps == MINE.wraps and kept.secret.equals(MINE.secret)
    assert not keys.has_master(ROUND)

    keys.save_master(ROUND, MASTER)

    assert keys.master(ROUND).equals(MASTER)
    assert [(path.name, S_IMODE(path.stat().st_mode)) for path in (tmp_path / "keys").iterdir()] == [
        (f"{ROUND}.key", 0o600)
    ]
    keys.forget(ROUND)
    keys.forget(ROUND)
    with pytest.raises(KeyMissing, match=ROUND):
        keys.master(ROUND)


def test_sealed_files_hold_nothing_of_the_keys(tmp_path: Path) -> None:
    keys = KeyFolder(folder=tmp_path, files=_sealed())
    keys.save_contribution(ROUND, MINE)
    keys.save_master(OTHER, MASTER)

    content = b"".join(path.read_bytes() for path in tmp_path.iterdir())

    assert MASTER.reveal().hex().encode() not in content
    assert MINE.secret.reveal().hex().encode() not in content


def test_sealed_file_opens_with_its_own_credential_alone(tmp_path: Path) -> None:
    KeyFolder(folder=tmp_path, files=_sealed(1)).save_master(ROUND, MASTER)

    with pytest.raises(WrongPassphrase):
        KeyFolder(folder=tmp_path, files=_sealed(2)).master(ROUND)
    with pytest.raises(MalformedDocument, match="its file is sealed"):
        KeyFolder(folder=tmp_path, files=PLAIN).master(ROUND)


def test_plain_file_is_refused_where_the_settings_say_sealed(tmp_path: Path) -> None:
    KeyFolder(folder=tmp_path, files=PLAIN).save_master(ROUND, MASTER)

    with pytest.raises(MalformedDocument, match="isthmus-node seal"):
        KeyFolder(folder=tmp_path, files=_sealed()).master(ROUND)


@pytest.mark.parametrize("files", [PLAIN, _sealed()], ids=["plain", "sealed"])
def test_master_of_one_round_does_not_pass_for_anothers(tmp_path: Path, files: KeyFiles) -> None:
    keys = KeyFolder(folder=tmp_path, files=files)
    keys.save_master(ROUND, MASTER)
    (tmp_path / f"{ROUND}.key").rename(tmp_path / f"{OTHER}.key")

    with pytest.raises(MalformedDocument, match="another round's"):
        keys.master(OTHER)


@pytest.mark.parametrize("key", ["", "00", "zz" * 32])
def test_damaged_master_is_refused_without_its_content(tmp_path: Path, key: str) -> None:
    (tmp_path / f"{ROUND}.key").write_text(f'{{"format":"isthmus/round-master/1","key":"{key}","round_id":"{ROUND}"}}')

    with pytest.raises(MalformedDocument, match="round master"):
        KeyFolder(folder=tmp_path, files=PLAIN).master(ROUND)


def test_passphrase_comes_from_the_file_that_the_environment_names(tmp_path: Path) -> None:
    (tmp_path / "passphrase").write_text("correct horse battery\r\n")
    (tmp_path / "passphrase").chmod(0o600)
    environ = {"ISTHMUS_NODE_PASSPHRASE_FILE": str(tmp_path / "passphrase")}
    first = key_files("passphrase", environ=environ, random_bytes=_random, cost=CHEAP)
    (tmp_path / "passphrase").write_text("correct horse battery")
    second = key_files("passphrase", environ=environ, random_bytes=_random, cost=CHEAP)

    first.write(tmp_path / "key", b"content", kind="identity key")

    assert second.read(tmp_path / "key", kind="identity key") == b"content"
    with pytest.raises(MalformedDocument, match="does not hold the agreement key"):
        second.read(tmp_path / "key", kind="agreement key")


def test_passphrase_file_that_everybody_may_read_is_refused_with_the_command_that_closes_it(tmp_path: Path) -> None:
    path = tmp_path / "passphrase"
    path.write_text("correct horse battery")
    path.chmod(0o644)

    with pytest.raises(SettingsInvalid, match=f"chmod 600 {path}") as refused:
        key_files("passphrase", environ={"ISTHMUS_NODE_PASSPHRASE_FILE": str(path)}, random_bytes=_random)

    assert "horse" not in str(refused.value)


def test_credential_comes_from_systemds_folder(tmp_path: Path) -> None:
    (tmp_path / "isthmus-node-key").write_bytes(b"c" * 32)

    files = key_files("credential", environ={"CREDENTIALS_DIRECTORY": str(tmp_path)}, random_bytes=_random)

    files.write(tmp_path / "key", b"content", kind="identity key")
    assert b"content" not in (tmp_path / "key").read_bytes()
    assert files.read(tmp_path / "key", kind="identity key") == b"content"


@pytest.mark.parametrize(
    ("sealed_by", "variable"), [("passphrase", "ISTHMUS_NODE_PASSPHRASE_FILE"), ("credential", "CREDENTIALS_DIRECTORY")]
)
def test_what_the_environment_does_not_give_is_named(tmp_path: Path, sealed_by: str, variable: str) -> None:
    for environ in ({}, {variable: ""}, {variable: str(tmp_path / "nothing")}):
        with pytest.raises(SettingsInvalid, match=variable):
            key_files(sealed_by, environ=environ, random_bytes=_random)  # type: ignore[arg-type]  # a parameter's text


@pytest.mark.parametrize(
    ("sealed_by", "variable"), [("passphrase", "ISTHMUS_NODE_PASSPHRASE_FILE"), ("credential", "CREDENTIALS_DIRECTORY")]
)
def test_too_short_a_secret_is_refused(tmp_path: Path, sealed_by: str, variable: str) -> None:
    (tmp_path / "isthmus-node-key").write_bytes(b"short")
    (tmp_path / "isthmus-node-key").chmod(0o600)
    named = tmp_path if sealed_by == "credential" else tmp_path / "isthmus-node-key"

    with pytest.raises(WeakSecret):
        key_files(sealed_by, environ={variable: str(named)}, random_bytes=_random)  # type: ignore[arg-type]  # as above
