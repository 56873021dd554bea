"""The label store: annotations as events that are only appended, batches claimed by annotators, and undo.

`store.py` is what the labeler calls, `events.py` what the events say, `claims.py` who holds what, `database.py` the
tables and transactions, `label_file.py` the file of a SQLite store and what happens where that is deleted. Which items to
claim is the labeler's business. Imports types and errors only.
"""

from fastlabel_gradio.label_store.claims import Claim, ClaimedBatch, has_run_out
from fastlabel_gradio.label_store.store import LabelStore, Submission, Undone

__all__ = ["Claim", "ClaimedBatch", "LabelStore", "Submission", "Undone", "has_run_out"]
