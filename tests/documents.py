"""The documents as tests read them: their fenced blocks, tables, sections and the words in backticks."""

import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent
DOCUMENTS = (ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").glob("*.md")))

_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block: what it says it is, what is in it, and the heading it stands under."""

    language: str
    text: str
    heading: str


def read(name: str) -> str:
    """A document by its path from the repository's root."""
    return (ROOT / name).read_text(encoding="utf-8")


def blocks(text: str, language: str | None = None) -> list[Block]:
    """The fenced blocks in order, all or those of one language."""
    found = []
    for match in _FENCE.finditer(text):
        headings = re.findall(r"^#+ (.+)$", prose(text[: match.start()]), re.MULTILINE)
        found.append(Block(match[1], match[2], headings[-1] if headings else ""))
    return [block for block in found if language in (None, block.language)]


def prose(text: str) -> str:
    """The text without its fenced blocks."""
    return _FENCE.sub("", text)


def section(text: str, heading: str) -> str:
    """What stands under a heading, up to the next one."""
    [found] = re.findall(rf"^#+ {re.escape(heading)}\n(.*?)(?=^#+ |\Z)", prose(text), re.MULTILINE | re.DOTALL)
    return str(found)


def first_table(text: str) -> list[list[str]]:
    """The cells of the first table, row by row, without its header; backticks taken away."""
    lines = re.search(r"(?:^\|.*\n?)+", text, re.MULTILINE)
    assert lines, "there is no table"
    rows = [re.split(r" *(?<!\\)\| *", line.strip("|\n ")) for line in lines[0].splitlines()]
    return [[cell.replace("`", "") for cell in row] for row in rows[2:]]


def quoted(text: str) -> list[str]:
    """Everything in single backticks outside fenced blocks."""
    return re.findall(r"`([^`\n]+)`", prose(text))


def front_matter(text: str) -> str:
    """The YAML between the `---` lines at the top."""
    match = re.match(r"---\n(.*?)^---\n", text, re.MULTILINE | re.DOTALL)
    assert match, "the front matter is missing"
    return match[1]
