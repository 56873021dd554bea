"""The app served by this process, where a benchmark would start one of its own: the same page, without the wait."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from fastlabel_gradio.app import create_app
from fastlabel_gradio.config import parse_config
from fastlabel_gradio.serve_command import _config, parser
from tests.test_api import free_port


@contextmanager
def served_here(arguments: list[str], workdir: Path, **settings: object) -> Iterator[str]:
    """The address of the app that `launch.py <arguments>` would serve, its projects with these settings."""
    config = _config(parser().parse_args(arguments))
    projects = [{**project.model_dump(), **settings} for project in config.projects]
    app = create_app(parse_config({**config.model_dump(), "projects": projects}, "test"), workdir)
    try:
        address = app.serve(host="127.0.0.1", port=free_port(), share=False, open_browser=False, quiet=True)
        yield address.rstrip("/")
    finally:
        app.close()
