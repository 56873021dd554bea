"""Which of Gradio's routes the page needs. Everything else is closed: uploads, files, events, proxies, recordings.

No button runs Python, so the page needs what it is made of and the login. Found out with a browser; tests/test_access.py
and the browser tests tell when a new Gradio needs more.
"""

_FILES = ("/assets/", "/static/", "/svelte/")
_READ = frozenset(
    {"/", "/config", "/theme.css", "/favicon.ico", "/manifest.json", "/pwa_icon", "/robots.txt", "/logout"}
)
_AT_START = "/gradio_api/startup-events"  # `launch` asks for it
_LOGIN = "/login"


def page_needs(method: str, path: str) -> bool:
    """Whether the page asks for that."""
    if method in ("GET", "HEAD"):
        return path in _READ or path == _AT_START or path.startswith((*_FILES, "/pwa_icon/"))
    return method == "POST" and path == _LOGIN
