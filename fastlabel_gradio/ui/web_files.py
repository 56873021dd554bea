"""The page's scripts as they are served: under an address that changes with their content, so that browsers keep them.

They are plain ES modules in `web/`, read once, and those of the views that others add. Nothing here knows Gradio.
"""

import hashlib
import posixpath
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from fastapi import APIRouter, HTTPException, Response

from fastlabel_gradio.server.views import VIEWS

WEB = Path(__file__).parent / "web"
ENTRY = "app.js"
ADDED = "views/"
_IMPORT = re.compile(r'(?:\bfrom|^import) "(\.[^"]+)"', re.MULTILINE)  # not `import(…)`, which waits until it is called
HEADERS = {"Cache-Control": "private, max-age=31536000, immutable", "X-Content-Type-Options": "nosniff"}


@dataclass(frozen=True, slots=True)
class WebFiles:
    """Scripts by their path below `web/`, and the version that stands in their address: a hash of all of them."""

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
    contents = {path.relative_to(WEB).as_posix(): path.read_bytes() for path in sorted(WEB.rglob("*.js"))}
    contents |= {view_name(view): VIEWS.get(view).module.read_bytes() for view in views}
    return WebFiles(_version(contents), contents)


def view_name(view: str) -> str:
    """Where the module of a view lies below `web/`."""
    return f"{ADDED}{view}.js"


def web_routes(files: WebFiles) -> APIRouter:
    """The route of the scripts. Only this version is there: a page of another one must be loaded anew."""
    router = APIRouter(include_in_schema=False)

    @router.get("/web/{version}/{name:path}")
    async def web_file(version: str, name: str) -> Response:
        if version != files.version or name not in files.contents:
            raise HTTPException(404, f"There is no script {name[:100]!r} of version {version[:20]!r}. Reload the page.")
        return Response(files.contents[name], media_type="text/javascript", headers=HEADERS)

    return router


def head_links(files: WebFiles) -> str:
    """Has the browser fetch at once what the first view needs, before the first script names the next."""
    return "".join(f'<link rel="modulepreload" href="{files.url(name)}">' for name in _fetched_first(files))


def _fetched_first(files: WebFiles) -> list[str]:
    """The first script, those of added views, and all that these import; not what is imported when a view is opened."""
    found = [ENTRY, *(name for name in files.contents if name.startswith(ADDED))]
    for name in found:
        for path in _IMPORT.findall(files.contents[name].decode()):
            needed = posixpath.normpath(posixpath.join(posixpath.dirname(name), path))
            if needed not in found:
                found.append(needed)
    return found


def start_script(files: WebFiles) -> str:
    """What Gradio runs when a component of the page is there: the module's `mount`, for its `element` and `props`."""
    return f"import(new URL('{files.url(ENTRY)}', document.baseURI)).then((app) => app.mount(element, props))"


def _version(contents: dict[str, bytes]) -> str:
    digest = hashlib.blake2b(digest_size=8)
    for name, content in contents.items():
        digest.update(f"{name}\0{len(content)}\0".encode() + content)
    return digest.hexdigest()
