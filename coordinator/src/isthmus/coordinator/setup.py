"""Making a coordinator's folder, and opening one: keys and store from disk."""

import re
import secrets
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from isthmus.contract.canonical import Label, sign
from isthmus.contract.clock import Clock, SystemClock
from isthmus.contract.errors import AlreadyExists, MalformedDocument, MalformedMessage
from isthmus.contract.ids import PartyId
from isthmus.contract.parties import PartyKind, Role
from isthmus.coordinator.actions.context import Context, MatchProgress
from isthmus.coordinator.actions.enrolment import Doors, add_party, enrol, mint_token
from isthmus.coordinator.authority import Authority, new_authority, new_server_certificate
from isthmus.coordinator.authority.cluster import new_cluster_authority, new_member_certificate
from isthmus.coordinator.config import FILE_NAME, CoordinatorConfig, config_text, load_config
from isthmus.coordinator.rpc.server import ServerKeys
from isthmus.coordinator.store.blobs import BlobFolder
from isthmus.coordinator.store.runs import RunFolders
from isthmus.coordinator.store.sql import SqlStore, open_store, sqlite_url
from isthmus.party.identity import PartyRecord, certificate_request, make_keys, save_enrolment, write_private

OPERATOR: Final = PartyId("operator")

_HOST: Final = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?|[0-9A-Fa-f:]{2,39}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Installation:
    """An opened coordinator folder."""

    folder: Path
    config: CoordinatorConfig
    store: SqlStore
    context: Context
    keys: ServerKeys
    doors: Doors

    def close(self) -> None:
        """Give the store's connections back."""
        self.store.close()

    @property
    def data(self) -> Path:
        """The folder that holds database, blobs and scratch."""
        return self.folder / "data"


def make_installation(
    folder: Path, *, address: str, host: str, service_port: int, enrolment_port: int, clock: Clock
) -> None:
    """Make a new coordinator's folder: settings, keys, database, and an enrolled operator.

    Raises:
        AlreadyExists: the folder holds a coordinator.
    """
    _check_host(host)
    _check_host(address)
    if folder.exists() and any(folder.iterdir()):
        raise AlreadyExists(kind="folder, and it is not empty:", id=folder.name)
    folder.parent.mkdir(parents=True, exist_ok=True)
    making = Path(tempfile.mkdtemp(dir=folder.parent, prefix=f".{folder.name}-"))
    try:
        _fill(making, address=address, host=host, ports=(service_port, enrolment_port), clock=clock)
        making.replace(folder)  # whole or not at all, even if it is interrupted
    except BaseException:
        shutil.rmtree(making)
        raise


def _fill(folder: Path, *, address: str, host: str, ports: tuple[int, int], clock: Clock) -> None:
    _make_keys(folder / "authority", hosts=tuple(dict.fromkeys((host, address, "localhost", "127.0.0.1"))), clock=clock)
    settings = config_text(address=address, host=host, service_port=ports[0], enrolment_port=ports[1])
    write_private(folder / FILE_NAME, settings.encode("utf-8"))
    installation = open_installation(folder, clock=clock)
    add_party(
        installation.context, None, party=OPERATOR, name="Operator", kind=PartyKind.STATE_AGENCY, role=Role.OPERATOR
    )
    enrol_operator(installation)
    installation.close()


def _check_host(host: str) -> None:
    if _HOST.fullmatch(host) is None:
        raise MalformedMessage(field="host", problem="not a host name or address; write a name in its ASCII form")


def open_installation(folder: Path, *, clock: Clock | None = None) -> Installation:
    """Open a coordinator's folder; brings its database up to date."""
    config = load_config(folder)
    data = folder / "data"
    data.mkdir(mode=0o700, exist_ok=True)
    (data / "scratch").mkdir(mode=0o700, exist_ok=True)
    blobs = BlobFolder(data / "blobs")
    blobs.prepare()
    store = open_store(config.database or sqlite_url(data / "coordinator.sqlite"))
    context = Context(
        store=store,
        blobs=blobs,
        clock=clock or SystemClock(),
        random_bytes=secrets.token_bytes,
        progress=MatchProgress(),
        runs=RunFolders(data / "scratch" / "runs"),
    )
    listen = config.listen
    doors = Doors(
        enrolment=f"{listen.public_host()}:{listen.enrolment_port}",
        service=f"{listen.public_host()}:{listen.service_port}",
    )
    return Installation(
        folder=folder, config=config, store=store, context=context, keys=_load_keys(folder / "authority"), doors=doors
    )


def enrol_operator(installation: Installation) -> None:
    """Give the operator a certificate, on the coordinator's own machine and without the network."""
    folder = installation.folder / "operator"
    context, authority = installation.context, installation.keys.authority
    token, _ = mint_token(context, None, party=OPERATOR, authority=authority, doors=installation.doors)
    signing_key, tls_key = make_keys(folder)
    request = certificate_request(OPERATOR, tls_key)
    _, certificate = enrol(
        context,
        token=token.secret_bytes(),
        request=request,
        identity_key=_raw(signing_key),
        identity_proof=sign(signing_key, Label.IDENTITY_PROOF, request),
        authority=authority,
    )
    record = PartyRecord(
        party=OPERATOR,
        service_address=installation.doors.service,
        coordinator_key=_raw(installation.keys.signing_key).hex(),
    )
    save_enrolment(folder, record=record, tls_key=tls_key, certificate=certificate, root=token.root)


def make_cluster_keys(folder: Path, out: Path, *, clock: Clock) -> None:
    """Make certificates of thirty days for a cluster: one for this coordinator, one in `out` for its machines.

    The cluster's root is made when there is none. It stays here; `out` gets `root.crt`, `member.crt` and `member.key`.
    """
    kept, now = folder / "authority" / "cluster", clock.now()
    kept.mkdir(mode=0o700, exist_ok=True)
    out.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not (kept / "root.key").exists():
        made = new_cluster_authority(now=now)
        write_private(kept / "root.crt", made.root_pem())
        write_private(kept / "root.key", _pem(made.key))
    authority = _load_authority(kept)
    for place, name in ((kept, "coordinator"), (out, "member")):
        key, certificate = new_member_certificate(authority, name=name, now=now)
        write_private(place / f"{name}.crt", certificate)
        write_private(place / f"{name}.key", key)
    write_private(out / "root.crt", authority.root_pem())


def _load_authority(folder: Path) -> Authority:
    damaged = MalformedDocument(document="authority folder", problem="a file in it is missing or damaged")
    try:
        key = load_pem_private_key((folder / "root.key").read_bytes(), password=None)
        root = x509.load_pem_x509_certificate((folder / "root.crt").read_bytes())
    except (FileNotFoundError, ValueError, TypeError) as exc:
        raise damaged from exc
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise damaged
    return Authority(certificate=root, key=key)


def _make_keys(folder: Path, *, hosts: tuple[str, ...], clock: Clock) -> None:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    authority = new_authority(now=clock.now())
    server_key, server_certificate = new_server_certificate(authority, hosts=hosts, now=clock.now())
    write_private(folder / "root.key", _pem(authority.key))
    write_private(folder / "root.crt", authority.root_pem())
    write_private(folder / "server.key", server_key)
    write_private(folder / "server.crt", server_certificate)
    write_private(folder / "signing.key", _pem(Ed25519PrivateKey.generate()))


def _load_keys(folder: Path) -> ServerKeys:
    damaged = MalformedDocument(document="authority folder", problem="a file in it is missing or damaged")
    try:
        signing_key = load_pem_private_key((folder / "signing.key").read_bytes(), password=None)
        server = ((folder / "server.key").read_bytes(), (folder / "server.crt").read_bytes())
    except (FileNotFoundError, ValueError, TypeError) as exc:
        raise damaged from exc
    if not isinstance(signing_key, Ed25519PrivateKey):
        raise damaged
    return ServerKeys(
        tls_key=server[0],
        tls_certificate=server[1],
        authority=_load_authority(folder),
        signing_key=signing_key,
    )


def _raw(key: Ed25519PrivateKey) -> bytes:
    return key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)


def _pem(key: Ed25519PrivateKey | ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
