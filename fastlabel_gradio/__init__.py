"""FastLabel: from a folder of unlabeled pictures or sounds to a trained classifier in an afternoon.

`docs/loop.md` explains the loop, `docs/extending.md` how to add a source, an encoder, a strategy or an exporter.
`docs/classifier.md` what a trained classifier is good for: `from fastlabel_gradio import load_classifier`.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fastlabel_gradio.classifier import Classifier, load_classifier

__version__ = "0.1.0"
__all__ = ["Classifier", "load_classifier"]


def __getattr__(name: str) -> Any:
    """What the package offers to programs, imported when it is first asked for: torch takes seconds."""
    if name not in __all__:
        raise AttributeError(f"module 'fastlabel_gradio' has no attribute {name!r}")
    from fastlabel_gradio import classifier

    return getattr(classifier, name)
