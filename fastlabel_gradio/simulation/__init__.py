"""A simulated annotator: plays a source's reference labels through the Labeler that the page uses, and draws the curves.

`fastlabel simulate ~/pictures` tells which strategy would reach how much with how many labels.
"""

from fastlabel_gradio.simulation.experiment import Experiment, Round, simulate
from fastlabel_gradio.simulation.labelling import AppLabelling, Labelling, answered
from fastlabel_gradio.simulation.runs import Behaviour, Run, Setting, Simulation
from fastlabel_gradio.simulation.table import describe, plot, table

__all__ = [
    "AppLabelling",
    "Behaviour",
    "Experiment",
    "Labelling",
    "Round",
    "Run",
    "Setting",
    "Simulation",
    "answered",
    "describe",
    "plot",
    "simulate",
    "table",
]
