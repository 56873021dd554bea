"""The page's scripts as they are served: under an address that changes with their content, so that browsers keep them.

They are plain ES modules in `web/`, read once and served as one script, and those of the views that others add.
Nothing here knows Gradio.
"""

import gzip
import hashlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from fastapi import APIRouter, HTTPException, Request, Response

from fastlabel_gradio.server.views import VIEWS
from fastlabel_gradio.ui.one_script import NAME, one_script

WEB = Path(__file__).parent / "web"
ENTRY = "app.js"
ADDED = "views/"
HEADERS = {"Cache-Control": "private, max-age=31536000, immutable", "X-Content-Type-Options": "nosniff"}


@dataclass(frozen=True, slots=True)
class WebFiles:
    """Scripts as they are served, by their path below `web/`, and the version in their address: a hash of all of them."""

    version: str
    contents: dict[str, bytes]

    def url(self, name: str) -> str:
        """The address of a script relative to the page, so that it holds below a prefix too."""
        return f"web/{self.version}/{name}"


def web_files() -> WebFiles:
    """The scripts of the page and of its views, as they were when they were first asked for."""
    return _web_files(VIEWS.names())


@cache
def _web_files(views: tuple[str, ...]) -> WebFiles:
    contents = one_script({path.relative_to(WEB).as_posix(): path.read_bytes() for path in sorted(WEB.rglob("*.js"))})
    contents |= {view_name(view): VIEWS.get(view).module.read_bytes() for view in views}
    return WebFiles(_version(contents), contents)


def view_name(view: str) -> str:
    """Where the module of a view lies below `web/`."""
    return f"{ADDED}{view}.js"


def web_routes(files: WebFiles) -> APIRouter:
    """The route of the scripts. Only this version is there: a page of another one must be loaded anew."""
    router = APIRouter(include_in_schema=False)

    @router.get("/web/{version}/{name:path}")
    async def web_file(version: str, name: str, request: Request) -> Response:
        if version != files.version or name not in files.contents:
            raise HTTPException(404, f"There is no script {name[:100]!r} of version {version[:20]!r}. Reload the page.")
        return packed_answer(files.contents[name], request)

    return router


def packed_answer(content: bytes, request: Request) -> Response:
    """A script, compressed where the browser takes that: over a share link its bytes are what a person waits for."""
    headers = HEADERS | {"Vary": "Accept-Encoding"}
    if "gzip" in request.headers.get("accept-encoding", ""):
        content, headers = _packed(content), headers | {"Content-Encoding": "gzip"}
    return Response(content, media_type="text/javascript", headers=headers)


@cache
def _packed(content: bytes) -> bytes:
    return gzip.compress(content, mtime=0)


def head_links(files: WebFiles) -> str:
    """Has the browser fetch the scripts at once, before Gradio has drawn the place that they fill."""
    first = [NAME, ENTRY, *(name for name in files.contents if name.startswith(ADDED))]
    return "".join(f'<link rel="modulepreload" href="{files.url(name)}">' for name in first)


def start_script(files: WebFiles) -> str:
    """What Gradio runs when a component of the page is there: the module's `mount`, for its `element` and `props`."""
    return f"import(new URL('{files.url(ENTRY)}', document.baseURI)).then((app) => app.mount(element, props))"


def _version(contents: dict[str, bytes]) -> str:
    digest = hashlib.blake2b(digest_size=8)
    for name, content in contents.items():
        digest.update(f"{name}\0{len(content)}\0".encode() + content)
    return digest.hexdigest()
