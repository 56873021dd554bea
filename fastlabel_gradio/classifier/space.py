"""A Hugging Face Space that lets people try a classifier: its bundle, a program of four lines, what to install."""

import shutil
from pathlib import Path

import yaml

from fastlabel_gradio.classifier.bundle import read_bundle
from fastlabel_gradio.classifier.space_package import SpacePackage

PROGRAM = '''"""Lets people try the classifier in model/."""

from fastlabel_gradio.ui.demo import demo_of_bundle

demo_of_bundle("model").launch()
'''
GRADIO_VERSION = "6.31.0"  # the oldest that the package takes


def write_space(bundle: Path, folder: Path, package: SpacePackage) -> Path:
    """Writes the Space around a bundle, which is copied into `model/`. `package`: what it installs. Raises OSError."""
    config, _ = read_bundle(bundle)
    shutil.copytree(bundle, folder / "model")
    (folder / "app.py").write_text(PROGRAM, encoding="utf-8")
    package.put_into(folder)
    matter = {
        "title": config.project[:60],
        "emoji": "🏷️",
        "colorFrom": "blue",
        "colorTo": "green",
        "sdk": "gradio",
        "sdk_version": GRADIO_VERSION,
        "python_version": "3.11",
        "app_file": "app.py",
        "pinned": False,
        "short_description": f"Tells {len(config.classes)} classes apart"[:60],
        "tags": ["fastlabel"],
    }
    text = (
        f"---\n{yaml.safe_dump(matter, sort_keys=False, allow_unicode=True)}---\n\n# {config.project}\n\nA "
        "classifier made with "
        "FastLabel. What it knows and how good it is stands in its model card, `model/README.md`.\n"
    )
    (folder / "README.md").write_text(text, encoding="utf-8")
    return folder
