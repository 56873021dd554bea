"""The trainable part: a small network on frozen embeddings, how it is trained, calibrated and saved.

Nothing here knows of threads, items or the loop.
"""

from fastlabel_gradio.head.calibration import FEWEST_LABELS, FOLDS, fit_temperature, folds_of, out_of_fold_logits
from fastlabel_gradio.head.checkpoint import check_head, load_head, save_head
from fastlabel_gradio.head.maker import HeadMaker
from fastlabel_gradio.head.model import BLOCK_ROWS, Head, HeadInfo
from fastlabel_gradio.head.recipe import DEFAULT_RECIPE, HeadRecipe
from fastlabel_gradio.head.spread import SAMPLE_ROWS, Spread
from fastlabel_gradio.head.text_prior import TextPrior, zero_shot_head
from fastlabel_gradio.head.training import train_head

__all__ = [
    "BLOCK_ROWS",
    "DEFAULT_RECIPE",
    "FEWEST_LABELS",
    "FOLDS",
    "SAMPLE_ROWS",
    "Head",
    "HeadInfo",
    "HeadMaker",
    "HeadRecipe",
    "Spread",
    "TextPrior",
    "check_head",
    "fit_temperature",
    "folds_of",
    "load_head",
    "out_of_fold_logits",
    "save_head",
    "train_head",
    "zero_shot_head",
]
