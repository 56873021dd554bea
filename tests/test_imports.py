"""The house keeps its floors: a file imports only from floors below its own, lazy imports counted."""

import ast
from pathlib import Path

PACKAGE = Path(__file__).parent.parent / "fastlabel_gradio"

# From the ground up. A folder is one room; files inside a room may import each other.
FLOORS: tuple[tuple[str, ...], ...] = (
    ("types", "errors"),
    (
        *("registry", "options", "yaml_file", "spreadsheet_cells", "contradictions"),
        *("devices", "atomic_file", "birth_time", "clustering", "groups", "retries"),
        *("media", "label_store", "trainer", "evaluation", "learning_record", "kept_rows", "batch_queue"),
        *("milestones", "pool_news", "embedding_space", "pool_reader", "row_padding", "planted_checks"),
    ),
    ("config", "sources", "encoders", "head", "exports", "successor", "inquiry", "out_of_fold"),
    (
        *("embedding_store", "embedding_batch", "encoder_comparison", "encoder_fitting", "encoder_in_use"),
        *("gallery", "strategies", "scoring", "scan", "source_identity", "unheard", "pool_clusters"),
    ),
    ("encoder_change",),
    ("embedding_pipeline", "candidates"),
    ("pool_ledger", "ground"),
    ("query", "classifier", "explore"),
    ("finding",),
    ("learner", "finder", "actions"),
    ("labeler", "encoder_verdict", "encoder_report"),
    ("project", "access", "api_models", "views"),
    ("routes", "ui", "simulation", "compare_command"),
    ("api",),
    ("app",),
)
FLOOR_OF = {room: floor for floor, rooms in enumerate(FLOORS) for room in rooms}
KNOWS_GRADIO = {"ui", "app"}


def _room(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def _files() -> list[Path]:
    return [path for path in sorted(PACKAGE.rglob("*.py")) if path != PACKAGE / "__init__.py"]


def _imports(path: Path) -> set[str]:
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
    return names


def test_every_file_has_a_floor() -> None:
    assert {_room(path) for path in _files()} == set(FLOOR_OF)


def test_imports_point_down() -> None:
    wrong = []
    for path in _files():
        room = _room(path)
        for name in _imports(path):
            parts = name.split(".")
            if parts[0] != "fastlabel_gradio" or len(parts) < 2 or parts[1].startswith("__"):
                continue
            if parts[1] != room and FLOOR_OF[parts[1]] >= FLOOR_OF[room]:
                wrong.append(f"{path.relative_to(PACKAGE)} imports {parts[1]}")
    assert wrong == []


def test_nothing_below_the_page_knows_gradio() -> None:
    wrong = [
        str(path.relative_to(PACKAGE))
        for path in _files()
        if _room(path) not in KNOWS_GRADIO and any(name.split(".")[0] == "gradio" for name in _imports(path))
    ]
    assert wrong == []
