"""Whether the app works, for whoever watches it: a container, a proxy, a service manager. No login, and it says little."""

import logging
import threading
import time
from collections.abc import Mapping, Sequence
from typing import Literal

from fastapi import APIRouter, Response
from pydantic import Field

from fastlabel_gradio.errors import StoreError
from fastlabel_gradio.server.api_models import Model
from fastlabel_gradio.server.project import Project

GOOD_FOR_S = 1.0  # an answer: however many ask, the database is asked once a second
NOT_STORED = "labels cannot be stored; the log says why"

log = logging.getLogger(__name__)


class HealthAnswer(Model):
    status: Literal["ok", "starting", "failed"]
    reason: str = Field(description="why it is not ok, without names and paths")


def add_health(router: APIRouter, projects: Mapping[str, Project]) -> None:
    look = _Look(list(projects.values()))

    @router.get("/api/health", responses={503: {"model": HealthAnswer}})
    def health(response: Response) -> HealthAnswer:
        """Whether labels can be stored (otherwise 503), and whether there is something to label yet. Without a login."""
        answer = look.now()
        response.status_code = 503 if answer.status == "failed" else 200
        response.headers["Cache-Control"] = "no-store"
        return answer


class _Look:
    """What was found out a moment ago."""

    def __init__(self, projects: Sequence[Project]) -> None:
        self._projects = projects
        self._lock = threading.Lock()
        self._until = 0.0
        self._answer = HealthAnswer(status="starting", reason="")

    def now(self) -> HealthAnswer:
        with self._lock:
            if time.monotonic() >= self._until:
                self._answer = _answer(self._projects)
                self._until = time.monotonic() + GOOD_FOR_S
            return self._answer


def _answer(projects: Sequence[Project]) -> HealthAnswer:
    try:
        for project in projects:
            project.check_store()
    except StoreError as error:
        log.warning("%s", error)
        return HealthAnswer(status="failed", reason=NOT_STORED)
    if any(project.pipeline.progress.state in ("starting", "loading", "fitting") for project in projects):
        return HealthAnswer(status="starting", reason="the encoder is being loaded")
    return HealthAnswer(status="ok", reason="")
