"""The option that every source has which can lie in a bucket or behind a web server."""

from typing import Annotated

from pydantic import Field

from fastlabel_gradio.sources.base import SourceOptions


class RemoteOptions(SourceOptions):
    """How much of a remote source is kept.

    Attributes:
        cache_gb: files that were fetched are kept up to this many gigabytes (1e9 bytes); the least used ones go first.
    """

    beside_identity = SourceOptions.beside_identity | {"cache_gb"}

    cache_gb: Annotated[float, Field(gt=0, le=1e6)] = 10.0
