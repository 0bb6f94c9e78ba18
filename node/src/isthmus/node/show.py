"""A round in plain language, for the people who have to agree to it: what is asked, of whom, and what leaves."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from isthmus.contract.agreement import Agreement
from isthmus.contract.hardened import HARDENED_1, HARDENED_2, HARDENED_SINGLE_1, HardenedProfile
from isthmus.contract.ids import PartyId
from isthmus.contract.keyed_blocks import TELLING_KEYS, Blocks
from isthmus.contract.manifest import RoundManifest
from isthmus.contract.match_keys import match_keys_for
from isthmus.contract.profile import INTEROP_1, Profile
from isthmus.contract.profile_parts import WHOLE_TABLE
from isthmus.contract.profiles import AnyProfile
from isthmus.contract.project import Project, ProviderTerms, RevealMode
from isthmus.contract.round_state import RoundState
from isthmus.contract.views import RoundView
from isthmus.node.show_comparison import answers_lines, comparison_lines, decided_by, planted_lines, quality_hint
from isthmus.party.folder import with_given_folder
from isthmus.party.round_text import round_text

MOST_IN_NO_BLOCK: Final = 0.1
"""The share of rows in no bucket from which on people are warned."""

_REVEAL: Final = {
    RevealMode.LINKED: "each provider gets IDs for its own rows that linked, so it learns which are elsewhere too",
    RevealMode.SPINE: "each provider gets an ID for every one of its rows, so it does not learn which of them linked",
}


_LASTING: Final = (
    "  lasting    IDs stay the same from round to round, so each provider can follow its people over the years",
    "             For that your rows have the same handles in every round, made with a key that stays here. The",
    "             coordinator sees which of your rows come, stay, leave and return, over years, and whose encodings",
    "             changed in what they are like; not who they are. It keeps the handles after a round's encodings are",
    "             gone, also of people who left or opted out between rounds (docs/threat-model.md, section 2).",
)

_MEASURE: Final = {Profile: "similarity", HardenedProfile: "the link score"}

_RECOGNISED: Final = {
    INTEROP_1: (
        "  An encoding is pseudonymous personal data. Whoever holds it and a list of the same population can recognise",
        "  most people in it, the coordinator included, and needs no key for that (docs/threat-model.md, section 2).",
    ),
    HARDENED_1: (
        "  An encoding is pseudonymous personal data. The coordinator sees which of your rows share parts, such as",
        "  first name and birth date, with which rows of another provider, and which are nearly equal as a whole",
        "  (docs/threat-model.md, section 2); isthmus-node audit measures what can be made of the latter.",
    ),
    HARDENED_2: (
        "  An encoding is pseudonymous personal data. The coordinator sees which of your rows share parts, such as",
        "  names that sound alike, with which rows of another provider, if no other row of yours has the same, and",
        "  which are nearly equal as a whole (docs/threat-model.md, section 2); isthmus-node audit tests the latter.",
    ),
    HARDENED_SINGLE_1: (
        "  An encoding is pseudonymous personal data. The coordinator sees which rows are nearly equal as a whole",
        "  (docs/threat-model.md, section 2); isthmus-node audit measures what can be made of that.",
    ),
}


def manifest_text(manifest: RoundManifest, view: RoundView, signatures: Mapping[PartyId, bytes], party: PartyId) -> str:
    """Give the round's terms as a steward would read them."""
    project, profile = manifest.project, manifest.read_profile()
    lines = [
        round_text(view, party),
        f"  project    {project.title} ({project.id}), led by {project.lead}",
        f"  purpose    {project.purpose}",
        *(f"  {'' if number else 'questions':10} {text}" for number, text in enumerate(project.questions)),
        *_agreement_lines(manifest.agreement),
        "  providers",
    ]
    lines += [_provider_line(manifest, terms.party, signatures, party) for terms in project.providers]
    lines += [
        f"  encoded    {', '.join(project.shared_fields())}: the fields that all bring, as {manifest.profile['name']}",
        *_tables_line(profile),
        *_blocks_lines(project.blocks, profile),
        *comparison_lines(project, party),
        *_linked_lines(manifest, _MEASURE[type(profile)]),
        f"  result     {_REVEAL[project.reveal]}",
        *(_LASTING if project.longitudinal else ()),
        f"  released   to {', '.join(project.analysts) or 'nobody'}; no count below {project.min_cell_count}",
        f"  hashes     project {project.digest().hex()}",
        f"             manifest {manifest.digest().hex()}",
        *_quality_line(manifest, view),
        *_limits_lines(project),
        *_RECOGNISED[profile.name],
    ]
    return "\n".join(lines) + "\n"


def _quality_line(manifest: RoundManifest, view: RoundView) -> list[str]:
    hint = quality_hint(manifest) if view.state is RoundState.RELEASED else ""
    return [f"  quality    {hint}"] if hint else []


def unverified_text(manifest: RoundManifest, parties: Sequence[str]) -> str:
    """Give a line for people if there are members whose fingerprints were not compared here, and what follows."""
    if not parties:
        return ""
    then = "gives them nothing of the key" if manifest.project.require_verified else "trusts the coordinator's word"
    compare = with_given_folder(f"isthmus-node fingerprint --round {manifest.round_id}")
    return (
        f"  keys       not verified here: {', '.join(parties)}; until then this node {then}\n             ({compare})\n"
    )


def report_text(report: Mapping[str, Any]) -> str:
    """Give what left, or is ready to leave, this node, and what stayed."""
    encoded = ", ".join(f"{field} (your {column})" for field, column in report["encoded"].items())
    lines = [
        f"  leaves     {report['rows']:,} rows of {_shape(report)}, {report['bytes']:,} bytes, shuffled,",
        f"             each under {_handle(report)}: no row id, no name, no value in the clear",
        *planted_lines(report),
        f"  made from  {encoded}",
        f"  stays      {', '.join(report['stayed'])} and every column that node.toml does not map",
    ]
    lines += answers_lines(report)
    lines += [f"  left out   {sentence}" for sentence in report.get("left_out", ())]
    if report.get("not_found"):
        lines += [f"  not found  {report['not_found']:,} ids of the opt-out list are not in the data set"]
    lines += [f"  source     {finding}" for finding in report["source"]]
    hidden = sum(report.get("hidden_tags", {}).values())  # reports of an earlier version have none
    if hidden:
        lines += [f"  tags       {hidden:,} that several rows have, in whose place random bytes stand"]
    lines += _block_report_lines(report)
    if report["too_little_to_link"]:
        lines += [f"  too little {report['too_little_to_link']:,} rows hold too few values to link; they leave empty"]
    for field, counts in report["quality"].items():
        noted = ", ".join(f"{count:,} {name}" for name, count in counts.items() if count)
        if noted:
            lines.append(f"  {field:10} {noted}")
    return "\n".join(lines) + "\n"


def _handle(report: Mapping[str, Any]) -> str:
    lasting = report.get("longitudinal", False)  # reports of an earlier version do not say
    return "a handle that it has in every round of the project" if lasting else "a random handle"


def _linked_lines(manifest: RoundManifest, measure: str) -> list[str]:
    """Say the rule, and of whom several rows may be one person."""
    compared = manifest.project.comparison
    decides = decided_by(compared) if compared else f"{measure} is {manifest.threshold} or more"
    rule = f"  linked     when {decides}; one row of a provider at most"
    repeating = [terms.party for terms in manifest.project.providers if terms.repeats]
    if not repeating:
        return [rule]
    return [
        f"{rule}, but several of {', '.join(repeating)}:",
        "             its rows are compared with each other too; all rows of a person get one ID, tables count people",
    ]


def _limits_lines(project: Project) -> list[str]:
    limit = project.audit_limit_percent
    stops = f"  self-audit over {limit} % recognised, a node stops before anything leaves"
    untested = [*(["bucket numbers"] if project.blocks else []), *(["answers"] if project.comparison else [])]
    stops += f"; {' and '.join(untested)} are no part of it" if untested else ""
    unverified = "  unverified nodes give their part of the key to members whose fingerprints nobody compared"
    return [*([stops] if limit is not None else []), *([] if project.require_verified else [unverified])]


def _tables_line(profile: AnyProfile) -> list[str]:
    if not isinstance(profile, HardenedProfile):
        return []
    count = len(tuple(match_keys_for(profile.fields)))
    keys, wide = (", ".join(names) for names in (profile.match_key_names[:count], profile.match_key_names[count:]))
    return [
        f"  tables     {', '.join(profile.table_names)}",
        *([f"  match keys {keys}"] if keys else []),
        *([f"  wide keys  {wide}"] if wide else []),
    ]


def _shape(report: Mapping[str, Any]) -> str:
    tables = len(report.get("tables", (WHOLE_TABLE,)))  # reports of an earlier version name none
    tags = len(report.get("match_keys", ()))
    return (
        f"{report['clk_bits']} bits"
        + (f" in each of {tables} tables" if tables > 1 else "")
        + (f" and {tags} tags of match keys" if tags else "")
        + (f" and {len(keys)} bucket numbers ({', '.join(keys)})" if (keys := report.get("blocks", ())) else "")
    )


def _blocks_lines(blocks: Blocks | None, profile: AnyProfile) -> list[str]:
    """Say that the project grants keyed blocks, what follows from it, and what it gives away."""
    if blocks is None:
        return []
    also = " or a match key's tag" if profile.match_key_names else ""
    telling = ", ".join(key for key in blocks.keys if key in TELLING_KEYS)
    warning = (
        f"  warning    many rows share the values of {telling}, so far more shows: ask the lead for other block keys"
    )
    return [
        f"  blocks     {', '.join(blocks.keys)}: {blocks.buckets:,} buckets each",
        f"             Only rows that share a bucket{also} are compared: the project is too large for every pair.",
        "             The coordinator sees which of your own rows share buckets: most do by chance, some because they",
        "             have these values in common, and those that share several mostly so. It needs no key for that,",
        "             and the self-audit does not test it (docs/threat-model.md, section 2).",
        *([warning] if telling and isinstance(profile, HardenedProfile) else []),  # a plain CLK shows more anyway
    ]


def _block_report_lines(report: Mapping[str, Any]) -> Iterator[str]:
    """Say what of the buckets is withheld, and how many rows have none."""
    for key, rows in report.get("withheld_blocks", {}).items():  # reports of an earlier version have none
        if rows:
            yield f"  withheld   the bucket numbers of {rows:,} rows under {key}: too few rows share each bucket"
    outside = report.get("in_no_block", 0)
    if not outside:
        return
    share, found = outside / report["rows"], "by a match key's tag alone" if report["match_keys"] else "with nobody"
    yield f"  no bucket  {outside:,} rows ({100 * share:.1f} %) are in none; they are compared {found}"
    if share > MOST_IN_NO_BLOCK:
        yield "  warning    that is many, and they will hardly link. If values are missing, fill them in the source;"
        yield "             if buckets are withheld, they are too many for so small a data set: ask the lead for fewer"


def _provider_line(
    manifest: RoundManifest, party: PartyId, signatures: Mapping[PartyId, bytes], reader: PartyId
) -> str:
    terms, member = manifest.terms(party), manifest.member(party)
    signed = "signed" if party in signatures else "not signed yet"
    you = " (you)" if party == reader else ""
    fields = ", ".join(terms.fields) if terms else ""
    name = member.name if member else party
    repeats = ", in which a person may have several rows" if manifest.repeats(party) else ""
    chosen = _chosen_rows(terms) if terms else ""
    return (
        f"    {party}{you}: {name}, data set {terms.dataset if terms else ''}{repeats}, {signed}\n"
        f"      brings {fields}{chosen}"
    )


def _chosen_rows(terms: ProviderTerms) -> str:
    years = f", of the years {', '.join(terms.years)} alone" if terms.years else ""
    return years + (f", of the cohort {terms.cohort} alone" if terms.cohort else "")


def _agreement_lines(agreement: Agreement) -> list[str]:
    version = f"{agreement.id}, version {agreement.version}"
    return [
        f"  agreement  {version}, until {agreement.expires}: {agreement.legal_basis.value}",
        f"             hash {agreement.digest().hex()}",
    ]
