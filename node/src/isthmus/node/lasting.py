"""The handle key of a longitudinal project: made once, kept until the project ends. docs/protocol.md section 15."""

from hmac import compare_digest

from isthmus.contract.project import Project
from isthmus.contract.secret import Secret
from isthmus.node.errors import HandleKeyLost
from isthmus.node.keys.folder import HANDLE_KEY_BYTES
from isthmus.node.keys.handles import handle_key_check
from isthmus.node.node import Node


def lasting_handle_key(node: Node, project: Project) -> Secret | None:
    """Give what makes the row handles of a project, made now if this is its first round; none unless longitudinal.

    Raises:
        HandleKeyLost: handles were made with a key that is not here any more.
        MalformedDocument, WrongPassphrase: as `KeyFolder.handle_key`.
    """
    if not project.longitudinal:
        return None
    key, known = node.keys.handle_key(project.id), node.vault.handle_check(project.id)
    if known is not None and (key is None or not compare_digest(known, handle_key_check(key))):
        raise HandleKeyLost(project=project.id)
    if key is None:
        key = Secret(node.random_bytes(HANDLE_KEY_BYTES))
        node.keys.save_handle_key(project.id, key)
    if known is None:
        node.vault.save_handle_check(project.id, handle_key_check(key))
    return key
