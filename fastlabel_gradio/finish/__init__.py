"""Finishing a pool: predictions of the head that are accepted at a promised precision, and the proof of that.

proof           formulas: what random checks say of a set of proposed labels
plan            formulas: how much can probably be accepted, and how many checks that takes
known_answers   labels that a head has not seen, for the plan
head_says       what the newest head says of the unlabeled items
planner         the plan of a pool, at every promise and by class
campaign        a frozen set and the order of its checks
campaign_files  campaigns on disk
tally           what the answers so far say of a campaign
report, words   where it stands, in sentences
batch_ids       what a batch is for
evidence        what is promised of accepted labels
finisher        all of it over one pool
"""

from fastlabel_gradio.finish.evidence import Evidence, Promise, promise_of
from fastlabel_gradio.finish.finisher import Finisher
from fastlabel_gradio.finish.planner import PlanReport
from fastlabel_gradio.finish.report import FinishReport
from fastlabel_gradio.finish.words import Line

__all__ = ["Evidence", "FinishReport", "Finisher", "Line", "PlanReport", "Promise", "promise_of"]
