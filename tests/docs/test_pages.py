"""Pages hold together: links lead somewhere, what they cite is there, examples parse, nothing private slips in."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from docs.pages import DOCS, ROOT, all_pages, anchors, read, source_files, without_code

from isthmus.contract.agreement import agreement_from_toml
from isthmus.contract.agreement_advice import agreement_advice
from isthmus.contract.project import project_from_toml
from isthmus.contract.project_agreement import round_problems
from isthmus.coordinator.config import load_config as load_coordinator
from isthmus.node.config import load_config as load_node

PAGES = all_pages()
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)", re.DOTALL)
CITED_PAGE = re.compile(r"docs/[A-Za-z0-9_./-]+\.md")
FORBIDDEN = ("../" + "shared", "DESIGN" + ".md", "/" + "work/", "/" + "root/", "/" + "home/")
EXPECTED = (
    "LICENSE", "README.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md", "docs/protocol.md", "docs/data-flow.md",
    "docs/threat-model.md", "docs/deviations.md", "docs/guides/operator.md", "docs/guides/node.md",
    "docs/guides/steward.md", "docs/guides/analyst.md",
)  # fmt: skip


def _name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def _relative_links(page: Path) -> Iterator[tuple[str, str]]:
    for link in LINK.findall(without_code(read(page))):
        if "://" not in link:
            target, _, anchor = link.partition("#")
            yield target, anchor


@pytest.mark.parametrize("name", EXPECTED)
def test_page_is_there(name: str) -> None:
    assert (ROOT / name).read_text("utf-8").strip()


@pytest.mark.parametrize("page", PAGES, ids=_name)
def test_relative_links_lead_to_a_file_and_a_heading(page: Path) -> None:
    for target, anchor in _relative_links(page):
        reached = (page.parent / target).resolve() if target else page
        assert reached.exists(), f"{target} is not there"
        if anchor:
            assert anchor in anchors(read(reached)), f"{target}#{anchor} is not there"


def test_links_are_found() -> None:
    assert sum(len(list(_relative_links(page))) for page in PAGES) > 40


@pytest.mark.parametrize("page", PAGES, ids=_name)
def test_page_names_no_path_of_a_machine_and_no_page_outside_the_project(page: Path) -> None:
    text = read(page)

    assert [word for word in FORBIDDEN if word in text] == []


def test_pages_that_code_or_pages_cite_are_there() -> None:
    sources = [path for path in [*source_files(), *PAGES] if DOCS not in path.parents or path.suffix == ".md"]
    cited = {found for path in sources for found in CITED_PAGE.findall(read(path))}

    assert len(cited) > 10
    assert [name for name in sorted(cited) if not (ROOT / name).is_file()] == []


@pytest.mark.parametrize("page", PAGES, ids=_name)
def test_scripts_that_a_page_names_are_there_and_run(page: Path) -> None:
    for name in set(re.findall(r"(?<![\w/])scripts/[a-z_]+(?![\w/.])", read(page))):
        path = ROOT / name
        assert path.is_dir() or path.stat().st_mode & 0o111, name


def test_readme_starts_with_the_commands() -> None:
    first = read(ROOT / "README.md").partition("\n## ")[0]

    assert [name for name in ("scripts/demo", "scripts/test", "scripts/try") if f"    {name}" not in first] == []


@pytest.mark.parametrize("page", PAGES, ids=_name)
def test_page_claims_no_anonymity(page: Path) -> None:
    """Whatever says "anonymous" says it of nothing that leaves a node."""
    text = " ".join(read(page).split())

    for found in re.finditer(r"\banonymous\b", text, re.IGNORECASE):
        before = text[max(0, found.start() - 40) : found.start()].lower()
        assert re.search(r"\b(not|never|that clks or pseudonyms are)\b", before), text[found.start() - 40 : found.end()]


@pytest.mark.parametrize("name", ["docs/protocol.md", "docs/data-flow.md", "docs/threat-model.md", "README.md"])
def test_page_about_protection_says_that_clks_are_personal_data(name: str) -> None:
    assert "pseudonymous personal data" in " ".join(read(ROOT / name).split())


def test_agreement_example_allows_the_project_example() -> None:
    agreement = agreement_from_toml(read(ROOT / "examples" / "agreement.toml"))
    project = project_from_toml(read(ROOT / "examples" / "school-to-work.toml"))

    assert project.agreement == agreement.id
    assert list(round_problems(project, (), agreement)) == []
    assert [one.missing for one in agreement_advice(agreement)] == ["no signed paper is bound to it"]


def test_project_example_parses() -> None:
    project = project_from_toml(read(ROOT / "examples" / "school-to-work.toml"))

    assert project.shared_fields() == ("first_name", "middle_name", "last_name", "dob", "zip")
    assert project.comparison is not None


@pytest.mark.parametrize(
    ("example", "party", "signs"),
    [("node.toml", "riverside", False), ("node-workforce.toml", "workforce-agency", True)],
)
def test_node_example_parses_and_fits_the_project_example(
    example: str, party: str, signs: bool, tmp_path: Path
) -> None:
    (tmp_path / "node.toml").write_text(read(ROOT / "examples" / example), "utf-8")
    project = project_from_toml(read(ROOT / "examples" / "school-to-work.toml"))
    terms = next(one for one in project.providers if one.party == party)

    config = load_node(tmp_path)

    assert set(terms.fields) <= set(config.datasets[terms.dataset].columns)
    assert (project.digest().hex() in config.policy.sign_automatically) == signs


def test_coordinator_example_parses(tmp_path: Path) -> None:
    (tmp_path / "coordinator.toml").write_text(read(ROOT / "examples" / "coordinator.toml"), "utf-8")

    assert load_coordinator(tmp_path).listen.public_host() == "hub.example.org"
