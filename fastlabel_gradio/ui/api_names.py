"""Names for programs: what Gradio's clients and MCP clients call, each of them a route of REST under another name.

A call goes through the guard again as a request of REST, with what the caller sent to say who it is: the same roles, the same
checks, the same answers.
"""

import json
from collections.abc import Mapping
from typing import Any

import gradio as gr
import httpx
from gradio.events import api
from httpx import ASGITransport

WHO_HEADERS = ("authorization", "cookie", "host", "origin", "referer", "x-forwarded-for", "x-forwarded-proto")
ANSWER_S = 300.0  # a search of the whole pool, or the first batch of a large one
MOST_ITEMS = 20  # of an answer to a language model


async def status(request: gr.Request, project: str = "") -> dict[str, Any]:
    """How far labeling is: labeled and unlabeled items, classes, accuracy, and what the program is doing now.

    Args:
        project: its name; the first one by default.
    """
    return await _asked(request, "GET", "/api/status", {"project": project or None})


async def next_batch(request: gr.Request, project: str = "", size: float = 0) -> dict[str, Any]:
    """Claims the next items to label for the caller, or gives the batch that is open.

    Args:
        project: its name; the first one by default.
        size: how many items; 0 for the project's own number.
    """
    return await _asked(request, "GET", "/api/next_batch", {"project": project or None, "size": int(size) or None})


async def submit_labels(
    request: gr.Request, labels: list[dict[str, str]], batch_id: str = "", project: str = ""
) -> dict[str, Any]:
    """Stores labels of the caller. All of them, or none where one is wrong.

    Args:
        labels: entries {"id": …, "label": …} as `POST /api/submit_labels` takes them.
        batch_id: of the batch that they answer; closes it.
        project: its name; the first one by default.
    """
    body = {"project": project or None, "batch_id": batch_id, "labels": labels}
    return await _asked(request, "POST", "/api/submit_labels", body=body)


async def predict(request: gr.Request, ids: list[str], project: str = "") -> dict[str, Any]:
    """What the newest head says of items of the pool: the probabilities of all classes.

    Args:
        ids: of the items.
        project: its name; the first one by default.
    """
    return await _asked(request, "POST", "/api/predict", body={"project": project or None, "ids": ids})


async def search(
    request: gr.Request, query: dict[str, Any], project: str = "", size: float = MOST_ITEMS
) -> dict[str, Any]:
    """Items that a query names, the first of them, with what was said of each and what the head says.

    Args:
        query: as `POST /api/items` takes it: {"text": "owl"}, {"states": ["none"], "predicted": ["owl"]}, {} for all.
        project: its name; the first one by default.
        size: how many items.
    """
    body = {"project": project or None, "query": query, "size": int(size)}
    return await _asked(request, "POST", "/api/items", body=body)


async def list_to_review(request: gr.Request, project: str = "", size: float = MOST_ITEMS) -> dict[str, Any]:
    """Labels that may be wrong: labeled items on which the head disagrees, the most doubtful first.

    Args:
        project: its name; the first one by default.
        size: how many items.
    """
    body = {"project": project or None, "query": {"order": "mistakes"}, "size": int(size)}
    return await _asked(request, "POST", "/api/items", body=body)


NAMES = (status, next_batch, submit_labels, predict, search, list_to_review)
READ_TOOLS = frozenset(name.__name__ for name in (status, search, predict, list_to_review))


def add_names() -> None:
    """Gives the page that is being built its names.

    Without Gradio's queue: its MCP server would call a queued one by a client of its own, which nobody has logged in.
    """
    for name in NAMES:
        api(name, api_name=name.__name__, queue=False, concurrency_limit=None)


def keep_tools(page: gr.Blocks, *, may_write: bool) -> None:
    """Leaves an MCP client of the page the tools that read, or all of them, and answers in JSON; before the first request."""
    server = page.mcp_server_obj
    if server is None:
        return
    tools = server.tool_to_endpoint
    if not may_write:
        server.tool_to_endpoint = {name: tools[name] for name in tools if tools[name].strip("/") in READ_TOOLS}
    # Gradio's own way writes str(answer), which is Python and no JSON.
    server.postprocess_output_data = lambda answers, root_url: [  # type: ignore[method-assign, assignment]
        server.types.TextContent(type="text", text=json.dumps(answer)) for answer in answers
    ]


async def _asked(
    request: gr.Request,
    method: str,
    path: str,
    parameters: Mapping[str, str | int | None] | None = None,
    body: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """The answer of a route of REST to the caller. Raises gr.Error with REST's own words."""
    app = getattr(request, "request", request).state.whole_app  # MCP gives the request of Starlette itself
    headers = {name: value for name, value in dict(request.headers).items() if name.lower() in WHO_HEADERS}
    given = {key: value for key, value in (parameters or {}).items() if value is not None}
    # Not through a socket: it is the same app, whose outermost layer is the guard.
    async with httpx.AsyncClient(transport=ASGITransport(app), base_url="http://app", timeout=ANSWER_S) as client:
        answer = await client.request(method, path, params=given, json=body, headers=headers)
    content = answer.json()
    if answer.is_error:
        said = content.get("error") or content.get("detail") or content
        raise gr.Error(said if isinstance(said, str) else json.dumps(said), print_exception=False)
    return dict(content)
