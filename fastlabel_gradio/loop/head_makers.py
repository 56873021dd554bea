"""How a project makes its heads: the maker of heads for some classes and one encoder."""

import threading
from weakref import WeakKeyDictionary

import numpy as np

from fastlabel_gradio.config import LoopSettings
from fastlabel_gradio.encoders import Encoder
from fastlabel_gradio.errors import EncoderUnavailableError
from fastlabel_gradio.head import SAMPLE_ROWS, HeadMaker, TextPrior
from fastlabel_gradio.pool.space import Vectors
from fastlabel_gradio.types import Embeddings, LabelSchema

_prompts: WeakKeyDictionary[Encoder, dict[tuple[str, ...], Embeddings]] = WeakKeyDictionary()
_encoding_prompts = threading.Lock()


def head_maker(
    encoder: Encoder,
    schema: LabelSchema,
    space: Vectors,
    settings: LoopSettings,
    audit: str = "",
    device: str = "cpu",
) -> tuple[HeadMaker, str]:
    """What makes the heads of a project, and why class names give no suggestions though they should; "" otherwise."""
    prompt = encoder.prompt if settings.prompt is None else settings.prompt
    prior, notice = None, ""
    if encoder.logit_scale is not None and prompt and len(schema) > 1:
        try:
            prompts = tuple(prompt.replace("{label}", name.replace("_", " ")) for name in schema.names)
            prior = TextPrior(_encoded_once(encoder, prompts), encoder.logit_scale)
        except EncoderUnavailableError as error:  # its tokenizer is not available
            notice = f"The class names give no first suggestions: {error}"
    maker = HeadMaker(
        schema.classes,
        encoder.space,
        settings.recipe,
        prior,
        lambda: np.asarray(space.embeddings[:SAMPLE_ROWS]),  # rows are in random order
        settings.seed,
        device,
        audit,
    )
    return maker, notice


def _encoded_once(encoder: Encoder, prompts: tuple[str, ...]) -> Embeddings:
    """The embedded prompts, the same for all labelers of a project, which share its encoder."""
    with _encoding_prompts:
        known = _prompts.setdefault(encoder, {})
        if prompts not in known:
            known[prompts] = encoder.encode_text(list(prompts))
        return known[prompts]
