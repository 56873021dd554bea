"""The label store: what people say as events that are only appended, batches claimed by annotators, and undo of all of it.

`store.py` is what the labeler calls, `class_store.py` the part of it that is about classes, `head_store.py` the newest head,
`claim_store.py` who holds what; `submissions.py` is what a submit or an undo answers.
`events.py` reads and appends events, `news.py` says what of a request is new, `resolve.py` what stands after them,
`owners.py` who said that, `judgements.py` whose opinions are a person's own judgement, `told.py` all that was said, to be
taken in elsewhere, `steps.py` what somebody did, in words; `classes.py` what the classes are then, `class_changes.py` how
people name a change of them. `claims.py` reads and writes claims; `changes.py` what happened since somebody last looked, and
`watcher.py` when to look. `shared_values.py` works out once what many items share. `database.py` opens a database with the
tables of `tables.py`, `migrations.py` brings older ones up to date, `label_file.py` is the file of a SQLite store and what
happens where that is deleted. Which items to claim is the labeler's business. Imports types and errors only.
"""

from fastlabel_gradio.labels.acts import Act
from fastlabel_gradio.labels.changes import Changes, Position
from fastlabel_gradio.labels.claims import Claim, ClaimedBatch, OpenBatch, has_run_out
from fastlabel_gradio.labels.classes import ClassEdit, ClassEditKind, Classes, ClassInfo, check_typed_name
from fastlabel_gradio.labels.head_store import StoredHead
from fastlabel_gradio.labels.judgements import judgements_of, may_be_asked, review_of, waits_for_second
from fastlabel_gradio.labels.owners import Owner
from fastlabel_gradio.labels.resolve import Opinion, Opinions, Standing
from fastlabel_gradio.labels.steps import Step, in_words
from fastlabel_gradio.labels.store import LabelStore
from fastlabel_gradio.labels.submissions import Submission, Undone
from fastlabel_gradio.labels.told import Taken, Told

__all__ = [
    "Act",
    "Changes",
    "Claim",
    "ClaimedBatch",
    "ClassEdit",
    "ClassEditKind",
    "ClassInfo",
    "Classes",
    "LabelStore",
    "OpenBatch",
    "Opinion",
    "Opinions",
    "Owner",
    "Position",
    "Standing",
    "Step",
    "StoredHead",
    "Submission",
    "Taken",
    "Told",
    "Undone",
    "check_typed_name",
    "has_run_out",
    "in_words",
    "judgements_of",
    "may_be_asked",
    "review_of",
    "waits_for_second",
]
