"""The house: which rooms the package has, what they import, and on which floor each stands.

    python -m tests.house

writes the map in CONTRIBUTING.md anew. A folder of the package is one room, whose files may import each other; a file beside
the folders is a room, too. A room stands one floor above the highest room that it imports, lazy imports counted.
"""

import ast
from collections.abc import Mapping
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

PACKAGE = Path(__file__).parent.parent / "fastlabel_gradio"
MAP_FILE = PACKAGE.parent / "CONTRIBUTING.md"
FIRST, LAST = "fastlabel_gradio/\n", "tests/ "  # the map stands between these


def room_of(path: Path) -> str:
    """The room of a file of the package."""
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def files() -> list[Path]:
    """Every file that is in a room: all but the package's own `__init__.py`."""
    return [path for path in sorted(PACKAGE.rglob("*.py")) if path != PACKAGE / "__init__.py"]


@cache
def imports(path: Path) -> frozenset[str]:
    """Dotted names of everything that a file imports anywhere in it, except under TYPE_CHECKING."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    typing_only = {
        inner
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"
        for inner in ast.walk(node)
    }
    names: set[str] = set()
    for node in ast.walk(tree):
        if node in typing_only:
            continue
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return frozenset(names)


def rooms() -> dict[str, set[str]]:
    """By room the rooms that it imports."""
    found: dict[str, set[str]] = {}
    for path in files():
        room = room_of(path)
        parts = [name.split(".") for name in imports(path)]
        needed = {names[1] for names in parts if names[0] == PACKAGE.name and len(names) > 1 and names[1][0] != "_"}
        found.setdefault(room, set()).update(needed - {room})
    return found


def floors(needs: Mapping[str, set[str]]) -> dict[str, int]:
    """The floor of each room, the ground being 0. Raises graphlib.CycleError where rooms import each other in a circle."""
    found: dict[str, int] = {}
    for room in TopologicalSorter(needs).static_order():
        found[room] = 1 + max((found[lower] for lower in needs[room]), default=-1)
    return found


def subject(room: str) -> str:
    """What a room is about: the first sentence of its docstring, up to a colon where that says it."""
    file = PACKAGE / f"{room}.py"
    doc = ast.get_docstring(ast.parse((file if file.exists() else PACKAGE / room / "__init__.py").read_text("utf-8")))
    return (doc or "").partition("\n")[0].partition(". ")[0].rstrip(".")


def room_map() -> str:
    """A line a room, the highest floor first."""
    lines, shown = [], -1
    for room, floor in sorted(floors(rooms()).items(), key=lambda entry: (-entry[1], entry[0])):
        name = f"{room}.py" if (PACKAGE / f"{room}.py").exists() else f"{room}/"
        lines.append(f"{floor if floor != shown else '':>2}  {name:<16} {subject(room)}")
        shown = floor
    return "\n".join(lines) + "\n"


def with_map(text: str) -> str:
    """A text with the map of now in place of the one that it has."""
    before, _, rest = text.partition(FIRST)
    _, _, after = rest.partition(f"\n{LAST}")
    return f"{before}{FIRST}{room_map()}{LAST}{after}"


if __name__ == "__main__":
    MAP_FILE.write_text(with_map(MAP_FILE.read_text(encoding="utf-8")), encoding="utf-8")
