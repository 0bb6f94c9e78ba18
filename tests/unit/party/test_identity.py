"""The identity folder: private files, kept keys, and what is damaged or too old is refused as what it is."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from stat import S_IMODE

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)

from isthmus.contract.clock import FixedClock
from isthmus.contract.errors import CertificateExpired, MalformedDocument
from isthmus.contract.ids import PartyId
from isthmus.coordinator.authority import issue_certificate, new_authority
from isthmus.party.errors import NotEnrolled
from isthmus.party.identity import (
    PartyRecord,
    certificate_request,
    load_identity,
    make_agreement_key,
    make_keys,
    save_enrolment,
    write_private,
)

CLOCK = FixedClock(datetime(2026, 1, 15, 12, tzinfo=UTC))
RIVERSIDE = PartyId("riverside")
FILES = ("identity.key", "tls.key", "tls.crt", "root.crt", "party.json")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An enrolled party's folder, its certificate good for a week."""
    folder = tmp_path / "riverside" / "identity"
    _, tls_key = make_keys(folder)
    authority = new_authority(now=CLOCK.now())
    request = certificate_request(RIVERSIDE, tls_key)
    certificate = issue_certificate(authority, party=RIVERSIDE, request=request, now=CLOCK.now())
    record = PartyRecord(party=RIVERSIDE, service_address="hub:7443", coordinator_key="ab" * 32)
    save_enrolment(
        folder,
        record=record,
        tls_key=tls_key,
        certificate=certificate.public_bytes(Encoding.PEM).decode(),
        root=authority.root_pem().decode(),
    )
    return folder


def test_enrolled_party_is_loaded(folder: Path) -> None:
    identity = load_identity(folder, now=CLOCK.now())

    assert (identity.party, identity.service_address) == (RIVERSIDE, "hub:7443")
    assert identity.coordinator_key == bytes.fromhex("ab" * 32)
    assert x509.load_pem_x509_certificate(identity.certificate).subject.rfc4514_string() == "CN=riverside"
    assert repr(identity) == "Identity(party='riverside')"


def test_every_file_is_for_its_owner_alone(folder: Path) -> None:
    assert {file.name for file in folder.iterdir()} == set(FILES)
    assert {S_IMODE(file.stat().st_mode) for file in folder.iterdir()} == {0o600}
    assert S_IMODE(folder.stat().st_mode) == 0o700


def test_identity_key_is_kept_and_the_tls_key_is_new_each_time(folder: Path) -> None:
    before = (folder / "identity.key").read_bytes()

    first, first_tls = make_keys(folder)
    second, second_tls = make_keys(folder)

    assert (folder / "identity.key").read_bytes() == before
    assert first.private_bytes_raw() == second.private_bytes_raw()
    assert first_tls.private_numbers() != second_tls.private_numbers()


@pytest.mark.parametrize(("seconds", "good"), [(0, True), (7 * 86_400, True), (7 * 86_400 + 1, False)])
def test_certificate_is_good_to_its_last_moment(folder: Path, seconds: int, good: bool) -> None:
    clock = FixedClock(CLOCK.now() + timedelta(seconds=seconds))

    if good:
        assert load_identity(folder, now=clock.now()).party == RIVERSIDE
    else:
        with pytest.raises(CertificateExpired, match="2026-01-22T12:00:00Z"):
            load_identity(folder, now=clock.now())


@pytest.mark.parametrize("name", FILES)
def test_folder_that_lacks_a_file_holds_no_enrolled_party(folder: Path, name: str) -> None:
    (folder / name).unlink()

    with pytest.raises(NotEnrolled, match="holds no enrolled party"):
        load_identity(folder, now=CLOCK.now())


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("damage", [lambda data: b"", lambda data: data[: len(data) // 2], lambda _: b"\xff\x00"])
def test_damaged_file_is_refused_without_its_content(folder: Path, name: str, damage: Callable[[bytes], bytes]) -> None:
    content = (folder / name).read_bytes()
    (folder / name).write_bytes(damage(content))

    with pytest.raises(MalformedDocument) as refused:
        load_identity(folder, now=CLOCK.now())

    assert content.decode()[30:60] not in str(refused.value)


@pytest.mark.parametrize("changed", ['"coordinator_key":"zz"', '"coordinator_key":1', '"more":1,"coordinator_key":""'])
def test_damaged_record_is_refused(folder: Path, changed: str) -> None:
    record = folder / "party.json"
    record.write_text(record.read_text().replace(f'"coordinator_key":"{"ab" * 32}"', changed))

    with pytest.raises(MalformedDocument):
        load_identity(folder, now=CLOCK.now())


def test_identity_key_of_another_kind_is_refused(folder: Path) -> None:
    other = ec.generate_private_key(ec.SECP256R1())
    (folder / "identity.key").write_bytes(other.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))

    with pytest.raises(MalformedDocument, match="not an Ed25519 key"):
        load_identity(folder, now=CLOCK.now())


def _enrol_again(folder: Path, agreement_key: X25519PrivateKey) -> None:
    """Keep what another enrolment gave, with an agreement key."""
    save_enrolment(
        folder,
        record=PartyRecord(party=RIVERSIDE, service_address="hub:7443", coordinator_key="ab" * 32),
        tls_key=make_keys(folder)[1],
        certificate=(folder / "tls.crt").read_text(),
        root=(folder / "root.crt").read_text(),
        agreement_key=agreement_key,
    )


def test_agreement_key_is_there_once_enrolment_kept_it_and_stays_unless_renewed(folder: Path) -> None:
    assert load_identity(folder, now=CLOCK.now()).agreement_key is None
    first = make_agreement_key(folder)
    assert make_agreement_key(folder).private_bytes_raw() != first.private_bytes_raw(), "nothing was kept yet"

    _enrol_again(folder, first)

    loaded = load_identity(folder, now=CLOCK.now()).agreement_key
    assert loaded is not None and loaded.private_bytes_raw() == first.private_bytes_raw()
    assert make_agreement_key(folder).private_bytes_raw() == first.private_bytes_raw()
    assert make_agreement_key(folder, renew=True).private_bytes_raw() != first.private_bytes_raw()
    assert S_IMODE((folder / "agreement.key").stat().st_mode) == 0o600


@pytest.mark.parametrize("content", [b"", b"\xff\x00", b'{"format":"isthmus/sealed/1"}'])
def test_agreement_key_that_is_damaged_or_sealed_is_refused(folder: Path, content: bytes) -> None:
    (folder / "agreement.key").write_bytes(content)

    with pytest.raises(MalformedDocument):
        load_identity(folder, now=CLOCK.now())


def test_agreement_key_of_another_kind_is_refused(folder: Path) -> None:
    (folder / "agreement.key").write_bytes((folder / "identity.key").read_bytes())

    with pytest.raises(MalformedDocument, match="not an X25519 key"):
        load_identity(folder, now=CLOCK.now())


@pytest.mark.parametrize("name", ["identity.key", "tls.key"])
def test_key_under_a_passphrase_is_refused(folder: Path, name: str) -> None:
    sealed = Ed25519PrivateKey.generate().private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"passphrase")
    )
    (folder / name).write_bytes(sealed)

    with pytest.raises(MalformedDocument):
        load_identity(folder, now=CLOCK.now())


def test_private_file_replaces_an_older_one_whole(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"a much longer content than the new one")
    path.chmod(0o644)

    write_private(path, b"new")

    assert path.read_bytes() == b"new"
    assert S_IMODE(path.stat().st_mode) == 0o600
    assert [file.name for file in tmp_path.iterdir()] == ["file"]
