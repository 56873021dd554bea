"""The trained classifier as files: its bundle, its model card, and what classifies other files with it.

Nothing here knows the page, the routes or the loop: `keeper` is given what the loop knows of a head.
"""

from fastlabel_gradio.classifier.classifier import Classified, Classifier
from fastlabel_gradio.classifier.loading import find_bundle, load_classifier

__all__ = ["Classified", "Classifier", "find_bundle", "load_classifier"]
