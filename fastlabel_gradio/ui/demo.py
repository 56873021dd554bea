"""A page for trying one classifier, by Gradio's own parts: `fastlabel demo`, and what a Space of the classifier runs."""

import argparse
from collections.abc import Sequence
from typing import Any

import gradio as gr

from fastlabel_gradio.classifier import Classifier, load_classifier
from fastlabel_gradio.errors import ConfigError

SHOWN_CLASSES = 5


def main(argv: Sequence[str]) -> str:
    """Serves the page until Ctrl-C. Raises FastLabelError where something cannot be used."""
    arguments = parser().parse_args(argv)
    page = demo_of(load_classifier(arguments.model, project=arguments.project))
    try:
        page.launch(
            server_name=arguments.host,
            server_port=arguments.port,
            share=arguments.share,
            inbrowser=not arguments.no_browser,
            _frontend=False,  # as in app.py
        )
    except OSError as error:  # Gradio's word for a port that is taken
        reason = str(error).partition(". ")[0]
        raise ConfigError(f"{reason}. Choose another --port, or leave it out to get a free one.") from error
    return ""


def parser() -> argparse.ArgumentParser:
    """The options."""
    options = argparse.ArgumentParser(
        "fastlabel demo",
        description="A page on which anybody can try a trained classifier: drop a picture, or record a sound.",
    )
    options.add_argument(
        "model", metavar="MODEL", help="a folder or zip of export-model, a name on the hub, a working directory"
    )
    options.add_argument("--project", metavar="NAME", help="which project of a working directory")
    options.add_argument("--share", action="store_true", help="also at a public address, for whoever has it")
    options.add_argument(
        "--host", default="127.0.0.1", metavar="H", help="address to listen at (default: this machine only)"
    )
    options.add_argument("--port", type=int, metavar="P", help="port to listen at (default: a free one)")
    options.add_argument("--no-browser", action="store_true", help="open no browser")
    return options


def demo_of_bundle(model: str) -> gr.Interface:
    """The page for the classifier of a bundle, to be launched."""
    return demo_of(load_classifier(model))


def demo_of(classifier: Classifier) -> gr.Interface:
    """The page for a classifier, to be launched."""

    def classify(item: Any) -> dict[str, float]:
        """Confidence by class, of the most probable ones."""
        if item is None:
            return {}
        [said] = classifier.stream([item])
        if said.unreadable:
            raise gr.Error(said.unreadable, print_exception=False)
        return dict(said.best(SHOWN_CLASSES, classifier.classes))

    return gr.Interface(
        classify,
        _input(classifier),
        gr.Label(num_top_classes=SHOWN_CLASSES, label="Class"),
        title=classifier.config.project,
        description=_description(classifier),
        flagging_mode="never",
        analytics_enabled=False,
        api_name="predict",
    )


def _input(classifier: Classifier) -> gr.Image | gr.Audio:
    if classifier.kind == "image":
        return gr.Image(type="filepath", image_mode=None, label="Picture")  # as it is: FastLabel decodes it
    return gr.Audio(type="filepath", label="Sound")


def _description(classifier: Classifier) -> str:
    audit = classifier.config.audit
    quality = ""
    if audit:
        quality = (
            f" {100 * audit.accuracy:.0f} % right on {audit.items} random items that it never saw ({audit.true_for})."
        )
    names = ", ".join(classifier.classes[:20]) + (" …" if len(classifier.classes) > 20 else "")
    return f"Tells apart: {names}.{quality}"
