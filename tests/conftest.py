"""What tests share: shape checks at run time, and small real pools of pictures."""

from pathlib import Path

from jaxtyping import install_import_hook

import tests.shape_checks  # noqa: F401  # the hook finds it by name

PACKAGE = Path(__file__).parent.parent / "fastlabel_gradio"
# Gradio wraps the constructors of its components in a way that run-time checks cannot see through.
CHECKED = [path.stem for path in PACKAGE.iterdir() if path.stem not in ("ui", "__init__", "__pycache__")]

install_import_hook([f"fastlabel_gradio.{room}" for room in CHECKED], "tests.shape_checks.check")

pytest_plugins = ["tests.pools", "tests.postgres", "tests.tiny_models"]
