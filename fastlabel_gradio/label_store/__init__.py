"""The label store: what people say as events that are only appended, batches claimed by annotators, and undo of all of it.

`store.py` is what the labeler calls. `events.py` reads and appends events, `resolve.py` says what stands after them,
`owners.py` who said that, `classes.py` what the classes are then; `claims.py` who holds what; `changes.py` what happened
since somebody last looked, and `watcher.py` when to look. `database.py` opens a database with the tables of `tables.py`,
`migrations.py` brings older ones up to date, `label_file.py` is the file of a SQLite store and what happens where that is
deleted. Which items to claim is the labeler's business. Imports types and errors only.
"""

from fastlabel_gradio.label_store.acts import Act
from fastlabel_gradio.label_store.changes import Changes, Position
from fastlabel_gradio.label_store.claims import Claim, ClaimedBatch, has_run_out
from fastlabel_gradio.label_store.classes import ClassEdit, ClassInfo
from fastlabel_gradio.label_store.owners import Owner
from fastlabel_gradio.label_store.resolve import Standing
from fastlabel_gradio.label_store.store import LabelStore, Submission, Undone

__all__ = [
    "Act",
    "Changes",
    "Claim",
    "ClaimedBatch",
    "ClassEdit",
    "ClassInfo",
    "LabelStore",
    "Owner",
    "Position",
    "Standing",
    "Submission",
    "Undone",
    "has_run_out",
]
