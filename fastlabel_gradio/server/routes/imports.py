"""Labels that come in: a file or a text is sent as it is, and becomes labels, suggestions or reference labels."""

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, Literal

import anyio
from fastapi import APIRouter, HTTPException, Query, Request
from pydantic import BaseModel

from fastlabel_gradio.imports import IMPORTERS, guessed_suffix
from fastlabel_gradio.server.access.body_limit import MAX_FILE_BYTES
from fastlabel_gradio.server.api_models import MAX_NAME, LeftOutAnswer
from fastlabel_gradio.server.import_job import Imported, ImportProgress, import_labels, take_back
from fastlabel_gradio.server.routes.project_parameters import FindProject, OfProject
from fastlabel_gradio.server.visitors import PRIVATE

IMPORTS_AT_ONCE = anyio.CapacityLimiter(1)
MOST_SENT_BYTES = 2 * MAX_FILE_BYTES  # of all files that are being sent, and of those that wait for their turn


class ImportAnswer(BaseModel):
    """What became of an import.

    `id` undoes it (`/api/import/take_back`), null where nothing was stored as labels; `added`, `known` and `older` count
    labels, `left_out` what was not taken, with the reason and examples; `text` says all that in a sentence.
    """

    id: str | None
    added: int
    known: int
    older: int
    new_classes: list[str]
    left_out_count: int
    left_out: list[LeftOutAnswer]
    text: str


class ImportProgressAnswer(BaseModel):
    """Labels that were read of the file that is being imported, and how many of them were stored since."""

    running: bool
    read: int
    stored: int


class TakeBackInput(BaseModel):
    """Which import to undo."""

    project: str | None = None
    id: str


class TakeBackAnswer(BaseModel):
    """Whether anything of that import stood."""

    taken_back: bool


def add_routes(router: APIRouter, project_of: FindProject, who_asks: Any) -> None:
    annotator = Annotated[str, who_asks]
    running: dict[tuple[str, str], ImportProgress] = {}
    room = _Room()

    @router.post("/api/import", openapi_extra={"requestBody": {"content": {"application/octet-stream": {}}}})
    async def import_file(
        request: Request,
        who: annotator,
        project: OfProject = None,
        taken_as: Annotated[Literal["labels", "suggestions", "references"], Query(alias="as")] = "labels",
        name: Annotated[
            str,
            Query(max_length=MAX_NAME, description="of the file; its suffix says what it is, where that is not seen"),
        ] = "",
        format: Annotated[
            str | None, Query(max_length=MAX_NAME, description=f"one of {', '.join(IMPORTERS.names())}")
        ] = None,
        unknown_classes: Annotated[Literal["add", "refuse"], Query(description="or their labels are left out")] = "add",
    ) -> ImportAnswer:
        """Takes labels in. What means no item is listed, and the rest is taken."""
        chosen = project_of(project)
        if taken_as != "labels" and chosen.config.sharing == "private":
            raise HTTPException(403, PRIVATE)
        with tempfile.TemporaryDirectory(prefix="fastlabel-import-") as folder, room.taken() as take:
            sent = Path(folder) / "sent"
            with sent.open("wb") as file:
                async for block in request.stream():
                    take(len(block))
                    file.write(block)
            called = name or f"labels{guessed_suffix(sent)}"
            path = sent.rename(sent.with_name(f"labels{Path(called).suffix.lower()[:16]}"))
            progress = running[chosen.name, who] = ImportProgress()
            try:
                done = await anyio.to_thread.run_sync(
                    lambda: import_labels(
                        chosen, who, path, called, taken_as, unknown_classes, format, progress=progress
                    ),
                    limiter=IMPORTS_AT_ONCE,
                )
            finally:
                running.pop((chosen.name, who), None)
        return _answer(done)

    @router.get("/api/import")
    def import_progress(who: annotator, project: OfProject = None) -> ImportProgressAnswer:
        """How far the caller's import is."""
        now = running.get((project_of(project).name, who))
        return ImportProgressAnswer(
            running=now is not None, read=now.read if now else 0, stored=now.stored if now else 0
        )

    @router.post("/api/import/take_back")
    def undo_import(who: annotator, body: TakeBackInput) -> TakeBackAnswer:
        """Undoes an import of labels, as one, as far as it still stands."""
        return TakeBackAnswer(taken_back=take_back(project_of(body.project), who, body.id) > 0)


class _Room:
    """How much of the disk the files take that are being sent. Of the event loop alone."""

    def __init__(self) -> None:
        self._bytes = 0

    @contextmanager
    def taken(self) -> Iterator[Callable[[int], None]]:
        """Counts one file, by what it gives, until the block ends. That raises HTTPException where there is no more room."""
        own = 0

        def take(size: int) -> None:
            nonlocal own
            own += size
            self._bytes += size
            if self._bytes > MOST_SENT_BYTES:
                raise HTTPException(
                    503,
                    "Too many files are being sent at once. Send this one again in a minute; nothing of it was stored.",
                )

        try:
            yield take
        finally:
            self._bytes -= own


def _answer(done: Imported) -> ImportAnswer:
    return ImportAnswer(
        id=done.id or None,
        added=done.added,
        known=done.known,
        older=done.older,
        new_classes=list(done.new_classes),
        left_out_count=done.left_out_count,
        left_out=[LeftOutAnswer(what=one.what, why=one.why, count=one.count) for one in done.left_out],
        text=done.text(),
    )
