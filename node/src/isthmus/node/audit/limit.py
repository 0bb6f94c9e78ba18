"""The limit that a project sets on what a self-audit may recognise, held before anything of a record leaves."""

import time
from collections.abc import Callable

import numpy as np

from isthmus.contract.manifest import RoundManifest
from isthmus.contract.profile import Profile
from isthmus.contract.profiles import AnyProfile
from isthmus.node.audit.command import SAMPLE_ROWS, sample_columns
from isthmus.node.audit.report import audit_encodings, audit_limit_problem
from isthmus.node.errors import RefusedByPolicy
from isthmus.node.node import Node

Report = Callable[[str, int, int], None]
"""(stage, done, total)."""


def check_audit_limit(node: Node, manifest: RoundManifest, *, report: Report) -> None:
    """Return only if a self-audit of this node's data set stays within the project's limit, where it has one.

    Some minutes for 2,000 records drawn at random: people who opted out are among them, for nothing of it is kept.

    Raises:
        RefusedByPolicy: more is recognised than the limit allows.
        AuditTooSmall: the data set has too few records to attack.
        BadInput: what the source raises.
    """
    limit, terms = manifest.project.audit_limit_percent, manifest.terms(node.identity.party)
    if limit is None or terms is None:
        return
    report("self-audit of this node's own encodings, some minutes", 0, 1)
    rng = np.random.default_rng(int.from_bytes(node.random_bytes(16), "big"))
    profile: AnyProfile = manifest.read_profile()
    columns = sample_columns(node.folder, node.config.datasets[terms.dataset], rows=SAMPLE_ROWS, rng=rng)
    found = audit_encodings(
        {field: columns[field] for field in profile.fields},
        profile=profile,
        random_bytes=node.random_bytes,
        rng=rng,
        timer=time.perf_counter,
        report=report,
    )
    report("self-audit of this node's own encodings, some minutes", 1, 1)
    problem = audit_limit_problem(found, limit)
    if problem is not None:
        raise RefusedByPolicy(round_id=manifest.round_id, problem=f"{problem}; {_remedy(profile)}")


def _remedy(profile: AnyProfile) -> str:
    if isinstance(profile, Profile):
        return "a hardened profile gives less away"
    return "hardened-single-1 gives less away than profiles with match keys, and fewer links"
