"""Imports: labels that come in, from FastLabel's own exports, tables and files of other programs. Hostile until parsed.

`base.py` is what a label in a file says and how files are told apart; a file more is an importer, one function of a file;
`archives.py` reads several of them from a zip. `matching.py` finds the items that labels mean, with
`pool_paths.py`, and `spool.py` puts them aside. What becomes of the labels is
the business of `import_job`.
"""

from fastlabel_gradio.imports import label_studio, sound_tables, tables  # noqa: F401  # they register themselves
from fastlabel_gradio.imports.archives import guessed_suffix, read_labels
from fastlabel_gradio.imports.base import IMPORTERS, ImportedLabel, Importer, importer
from fastlabel_gradio.imports.matching import Matched, match
from fastlabel_gradio.imports.spool import Spool
from fastlabel_gradio.imports.tally import LeftOutLabels

__all__ = [
    "IMPORTERS",
    "ImportedLabel",
    "Importer",
    "LeftOutLabels",
    "Matched",
    "Spool",
    "guessed_suffix",
    "importer",
    "match",
    "read_labels",
]
