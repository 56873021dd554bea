"""Where items come from. Importing this registers every source; `guess_source` chooses one for a path."""

from fastlabel_gradio.sources import (  # each registers itself
    audio_folder,  # noqa: F401
    cifar,  # noqa: F401
    demo,  # noqa: F401
    demo_sounds,  # noqa: F401
    esc50,  # noqa: F401
    hf_dataset,  # noqa: F401
    image_folder,  # noqa: F401
    parquet_bytes,  # noqa: F401
    split,  # noqa: F401
    sprite_sheet,  # noqa: F401
    table,  # noqa: F401
    urbansound8k,  # noqa: F401
    webdataset,  # noqa: F401
)
from fastlabel_gradio.sources.address import Address
from fastlabel_gradio.sources.base import SOURCES, Source, SourceOptions, open_source
from fastlabel_gradio.sources.guess import guess_source, is_remote

__all__ = ["SOURCES", "Address", "Source", "SourceOptions", "guess_source", "is_remote", "open_source"]
