"""Opinions: what several people say of the same items: second opinions, how far people agree, and what a reviewer decides.

`followed.py` reads them from the label store, `second_opinions.py` says which items another person is asked about,
`disputes.py` of which items people say different things, `ratings.py` makes a table of who said what, `agreement.py` has the
figures and `reliability.py` works them out of it. What a reviewer decides is written by the labeler's `actions`.
"""

from fastlabel_gradio.opinions.disputes import Dispute, Disputes
from fastlabel_gradio.opinions.followed import FollowedOpinions
from fastlabel_gradio.opinions.reliability import Reliability, ReliabilityReport
from fastlabel_gradio.opinions.second_opinions import SecondOpinions, drawn_by, may_be_drawn, shares_of

__all__ = [
    "Dispute",
    "Disputes",
    "FollowedOpinions",
    "Reliability",
    "ReliabilityReport",
    "SecondOpinions",
    "drawn_by",
    "may_be_drawn",
    "shares_of",
]
