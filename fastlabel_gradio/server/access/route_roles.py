"""Which role each route needs, FastLabel's own and Gradio's: one table. A route that is not in it is closed to everybody.

A new route gets a row here; tests/access/test_roles.py goes over all routes of the app and all roles.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from fastapi import HTTPException
from starlette.routing import compile_path

from fastlabel_gradio.server.access.roles import Role

VIEWER, ANNOTATOR, REVIEWER, OWNER = Role
ANYBODY = None  # before a login, too


@dataclass(frozen=True, slots=True)
class RouteRole:
    """One row.

    Attributes:
        path: as FastAPI writes it, with `{…}` for what differs.
        least: the lowest role that may; None for everybody who can connect.
        what: what the route is good for, after "to": "export labels".
    """

    method: str
    path: str
    least: Role | None
    what: str

    @property
    def name(self) -> str:
        return f"{self.method} {self.path}"


# No button runs Python, so of Gradio the page needs what it is made of and the login; uploads, files, events, proxies and
# recordings have no row. Found out with a browser: the browser tests tell when a new Gradio needs more.
_PAGE = tuple(
    RouteRole(method, path, ANYBODY, "open the page")
    for method, path in (
        *(("GET", path) for path in ("/", "/theme.css", "/favicon.ico", "/manifest.json", "/robots.txt", "/logout")),
        *(("GET", path) for path in ("/pwa_icon", "/pwa_icon/{size}")),
        *(("GET", f"/{folder}/{{path:path}}") for folder in ("assets", "static", "svelte")),
        ("GET", "/gradio_api/startup-events"),  # Gradio's `launch` asks for it
        ("POST", "/login"),
        *(("GET", f"/login/{step}") for step in ("huggingface", "callback")),  # where people log in with Hugging Face
    )
)

# What Gradio's own clients and MCP clients use. Behind each name stands a route of REST with a row of its own.
_PROGRAMS = tuple(
    RouteRole(method, f"/gradio_api/{path}", VIEWER, "call the app from a program")
    for method, path in (
        *(("GET", path) for path in ("info", "queue/data", "heartbeat/{session_hash}", "call/{api_name}/{event_id}")),
        *(("POST", path) for path in ("queue/join", "call/{api_name}", "reset", "cancel")),
        *((method, path) for method in ("GET", "POST") for path in ("mcp", "mcp/")),
    )
)

ROUTE_ROLES: tuple[RouteRole, ...] = (
    *_PAGE,
    RouteRole("GET", "/api/health", ANYBODY, "ask whether the app is well"),
    RouteRole("GET", "/invite", ANYBODY, "come in by an invite"),
    RouteRole("POST", "/invite", ANYBODY, "come in by an invite"),
    RouteRole("GET", "/config", VIEWER, "open the page"),
    *_PROGRAMS,
    RouteRole("GET", "/web/{version}/{name:path}", VIEWER, "open the page"),
    RouteRole("GET", "/web/plotly-{number}/plotly.min.js", VIEWER, "open the page"),
    RouteRole("GET", "/docs", VIEWER, "read the description of REST"),
    RouteRole("GET", "/openapi.json", VIEWER, "read the description of REST"),
    # Looking
    RouteRole("GET", "/api/me", VIEWER, "see one's own role"),
    RouteRole("GET", "/api/status", VIEWER, "see the status"),
    RouteRole("GET", "/api/evaluation", VIEWER, "see how good the head is"),
    RouteRole("GET", "/api/progress", VIEWER, "see the progress"),
    RouteRole("GET", "/api/agreement", VIEWER, "see how far people agree"),
    RouteRole("GET", "/api/history", VIEWER, "see one's own steps"),
    RouteRole("GET", "/api/classes", VIEWER, "see the classes"),
    RouteRole("GET", "/api/clusters", VIEWER, "see clusters of the pool"),
    RouteRole("GET", "/api/map", VIEWER, "see the map"),
    RouteRole("POST", "/api/items", VIEWER, "look at items"),
    RouteRole("POST", "/api/items/counts", VIEWER, "look at items"),
    RouteRole("POST", "/api/vector", VIEWER, "find items that are like a file"),
    RouteRole("GET", "/api/filters", VIEWER, "see saved filters"),
    RouteRole("GET", "/api/mistakes", VIEWER, "see how long the lists of doubted labels are"),
    RouteRole("GET", "/api/encoders/compare", VIEWER, "see the comparison of encoders"),
    RouteRole("GET", "/api/finish", VIEWER, "see how far Finish is"),
    RouteRole("POST", "/api/predict", VIEWER, "ask the head for predictions"),
    RouteRole("POST", "/api/predict/media", VIEWER, "ask the head for predictions"),
    RouteRole("GET", "/media/{project}/sheet/{batch_id}.jpg", VIEWER, "look at items"),
    RouteRole("GET", "/media/{project}/sheet/{batch_id}/{rows}.jpg", VIEWER, "look at items"),
    RouteRole("GET", "/media/{project}/rows/{rows}.jpg", VIEWER, "look at items"),
    RouteRole("GET", "/media/{project}/item/{row}", VIEWER, "look at items"),
    RouteRole("GET", "/media/{project}/spectrogram/{row}", VIEWER, "look at items"),
    # Labeling
    RouteRole("GET", "/api/next_batch", ANNOTATOR, "label"),
    RouteRole("POST", "/api/renew", ANNOTATOR, "label"),
    RouteRole("POST", "/api/items/claim", ANNOTATOR, "label"),
    RouteRole("POST", "/api/submit_labels", ANNOTATOR, "label"),
    RouteRole("POST", "/api/undo", ANNOTATOR, "take back one's own steps"),
    RouteRole("POST", "/api/redo", ANNOTATOR, "bring back one's own steps"),
    RouteRole("POST", "/api/apply", ANNOTATOR, "label all items of a query"),
    # What concerns everybody's labels
    RouteRole("POST", "/api/checks", REVIEWER, "say that labels are right"),
    RouteRole("GET", "/api/adjudication", REVIEWER, "decide where people disagree"),
    RouteRole("POST", "/api/adjudication", REVIEWER, "decide where people disagree"),
    RouteRole("POST", "/api/release", OWNER, "give back a batch of somebody else"),
    RouteRole("POST", "/api/filters", REVIEWER, "save filters"),
    RouteRole("POST", "/api/classes", REVIEWER, "change classes"),
    RouteRole("POST", "/api/train", REVIEWER, "train the head now"),
    RouteRole("POST", "/api/rescan", REVIEWER, "have the source listed again"),
    RouteRole("POST", "/api/encoders/compare", REVIEWER, "compare encoders"),
    RouteRole("POST", "/api/predict/take", REVIEWER, "put a file into the pool"),
    RouteRole("POST", "/api/finish/plan", REVIEWER, "finish the pool"),
    RouteRole("POST", "/api/finish/start", REVIEWER, "finish the pool"),
    RouteRole("GET", "/api/finish/checks", REVIEWER, "finish the pool"),
    RouteRole("GET", "/api/finish/verify", REVIEWER, "finish the pool"),
    RouteRole("POST", "/api/finish/grow", REVIEWER, "finish the pool"),
    RouteRole("POST", "/api/finish/give_up", REVIEWER, "finish the pool"),
    RouteRole("POST", "/api/finish/accept", REVIEWER, "finish the pool"),
    RouteRole("POST", "/api/finish/take_back", REVIEWER, "finish the pool"),
    RouteRole("GET", "/api/export", REVIEWER, "export labels"),
    RouteRole("POST", "/api/export", REVIEWER, "export labels"),
    RouteRole("GET", "/api/export/{export_id}", REVIEWER, "export labels"),
    RouteRole("GET", "/api/export/{export_id}/file", REVIEWER, "export labels"),
    RouteRole("GET", "/api/checkpoint", REVIEWER, "take the classifier along"),
    RouteRole("GET", "/api/model", REVIEWER, "take the classifier along"),
    RouteRole("GET", "/api/import", REVIEWER, "import labels"),
    RouteRole("POST", "/api/import", REVIEWER, "import labels"),
    RouteRole("POST", "/api/import/take_back", REVIEWER, "import labels"),
    # Who comes in
    RouteRole("GET", "/api/invites", OWNER, "invite people"),
    RouteRole("POST", "/api/invites", OWNER, "invite people"),
    RouteRole("POST", "/api/invites/revoke", OWNER, "invite people"),
)


class RouteTable:
    """The rows by request.

    Args:
        added: rows of views that others add.
    """

    def __init__(self, added: Iterable[RouteRole] = ()) -> None:
        self.rows = (*ROUTE_ROLES, *added)
        self._plain = {(row.method, row.path): row for row in self.rows if "{" not in row.path}
        self._patterns = [(compile_path(row.path)[0], row) for row in self.rows if "{" in row.path]

    def find(self, method: str, path: str) -> RouteRole | None:
        """The row of a request; None where there is none, so that nobody may send it."""
        asked = "GET" if method == "HEAD" else method
        plain = self._plain.get((asked, path))
        return plain or next((row for row in self._matching(path) if row.method == asked), None)

    def refusal(self, method: str, path: str) -> HTTPException:
        """What answers a request without a row: 405 where REST has the path for another method, else 404."""
        others = sorted(
            {row.method for row in self._matching(path)} | {verb for verb, known in self._plain if known == path}
        )
        if others and path.startswith(("/api/", "/media/", "/invite")):
            reason = f"Method Not Allowed: {method[:10]} {path[:100]}. /docs lists the routes."
            return HTTPException(405, reason, headers={"Allow": ", ".join(others)})
        return HTTPException(404, f"There is nothing at {path[:100]} for {method[:10]}. /docs lists the routes.")

    def of(self, role: Role) -> list[str]:
        """Names of the rows that a role may use: "POST /api/undo"."""
        return [row.name for row in self.rows if row.least is None or role.covers(row.least)]

    def _matching(self, path: str) -> list[RouteRole]:
        return [row for pattern, row in self._patterns if pattern.fullmatch(path)]
