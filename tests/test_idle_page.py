"""What a page costs while nobody asks for anything."""

import asyncio

import pytest

from fastlabel_gradio.ui.app_layout import build_page


def test_gradios_queue_wakes_twenty_times_a_second_at_most(monkeypatch: pytest.MonkeyPatch) -> None:
    queue = build_page("FastLabel", [])._queue
    pauses_s: list[float] = []

    async def pause(seconds: float) -> None:
        pauses_s.append(seconds)
        queue.stopped = True

    monkeypatch.setattr(asyncio, "sleep", pause)
    for look in (queue.start_processing, queue.start_progress_updates):
        queue.stopped = False
        asyncio.run(look())
    assert len(pauses_s) == 2
    assert min(pauses_s) >= 0.05
