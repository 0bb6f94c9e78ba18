"""The project's pages as the docs tests see them: where they are, and what stands in them."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]
DOCS: Final = ROOT / "docs"
REFERENCE: Final = DOCS / "reference"

PROGRAMS: Final = ("proto", "node", "coordinator", "analyst")
SOURCE_FOLDERS: Final = (*PROGRAMS, "scripts", "tests", "benchmarks", "examples")
SOURCE_SUFFIXES: Final = frozenset({".py", ".proto", ".toml", ".json", ""})

_FENCE: Final = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
_NOT_IN_A_SLUG: Final = re.compile(r"[^\w\- ]")


def all_pages() -> list[Path]:
    """Give every page of the project, without those of its environment."""
    pages = [*ROOT.glob("*.md"), *(ROOT / name / "README.md" for name in PROGRAMS), *DOCS.rglob("*.md")]
    return sorted(pages)


def source_files() -> Iterator[Path]:
    """Give every file of code: programs, messages, scripts, tests, settings."""
    for folder in SOURCE_FOLDERS:
        for path in (ROOT / folder).rglob("*"):
            if path.is_file() and path.suffix in SOURCE_SUFFIXES and "__pycache__" not in path.parts:
                yield path
    yield ROOT / "pyproject.toml"


def read(path: Path) -> str:
    """Give a file's text."""
    return path.read_text("utf-8")


def reference(name: str) -> str:
    """Give a page of the reference."""
    return read(REFERENCE / name)


def without_code(text: str) -> str:
    """Give a page without its fenced code."""
    return _FENCE.sub("", text)


def fenced(text: str, language: str) -> list[str]:
    """Give the contents of the code blocks of that language."""
    return re.findall(rf"^```{re.escape(language)}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def table_rows(text: str) -> list[list[str]]:
    """Give the cells of every table row of a page, headings and rules too; a quoted bar stays in its cell."""
    rows = (line for line in text.splitlines() if line.startswith("|"))
    return [[cell.strip() for cell in re.split(r"(?<!\\)\|", row)[1:-1]] for row in rows]


def first_cells(text: str) -> set[str]:
    """Give what stands in code in the first cell of each table row."""
    return {row[0].strip("`") for row in table_rows(text) if row[0].startswith("`")}


def anchors(text: str) -> set[str]:
    """Give the anchors of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.*)$", without_code(text), re.MULTILINE)
    return {_NOT_IN_A_SLUG.sub("", heading.lower()).replace(" ", "-") for heading in headings}


def numbered_sections(text: str) -> set[int]:
    """Give the numbers of a page's numbered second-level headings."""
    return {int(number) for number in re.findall(r"^## (\d+)\. ", text, re.MULTILINE)}
