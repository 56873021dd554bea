"""An answer that takes minutes is worked out in the background, once at a time, and can be ended."""

from collections.abc import Callable
from threading import Event

from fastlabel_gradio.errors import StoreError
from fastlabel_gradio.inquiry import Finding, Inquiry
from tests.pools import wait_for


def test_one_answer_at_a_time_is_worked_out_and_told_on_the_way() -> None:
    goes_on, asked = Event(), []

    def work(tell: Callable[[str], None], stop: Event) -> str:
        asked.append(1)
        tell("half")
        goes_on.wait(10)
        return "whole"

    inquiry = Inquiry(work)
    assert inquiry.finding == Finding("unasked")
    assert inquiry.ask()
    wait_for(lambda: inquiry.finding == Finding("running", "half"))
    assert not inquiry.ask()
    goes_on.set()
    wait_for(lambda: inquiry.finding == Finding("answered", "whole"))
    assert inquiry.ask()
    wait_for(lambda: inquiry.finding.state == "answered")
    assert len(asked) == 2


def test_what_failed_says_why_and_may_be_asked_again() -> None:
    errors = [StoreError("the disk is full"), ValueError("a bug")]

    def work(tell: Callable[[str], None], stop: Event) -> str:
        if errors:
            raise errors.pop(0)
        return "found"

    inquiry = Inquiry(work)
    found = []
    for state in ("failed", "failed", "answered"):
        assert inquiry.ask()
        wait_for(lambda: inquiry.finding.state != "running")
        assert inquiry.finding.state == state
        found.append(inquiry.finding.error)
    assert found == ["the disk is full", "It failed. The program's log says why.", ""]


def test_closing_ends_the_work_and_nothing_is_asked_any_more() -> None:
    began = Event()

    def work(tell: Callable[[bool], None], stop: Event) -> bool:
        began.set()
        return stop.wait(10)

    inquiry = Inquiry(work)
    inquiry.close()  # that nobody asked
    assert not inquiry.ask()
    inquiry = Inquiry(work)
    inquiry.ask()
    assert began.wait(10)
    inquiry.close()
    assert inquiry.finding == Finding("answered", True)


def test_the_work_waits_while_a_pause_is_on_and_goes_on_or_ends_after_it() -> None:
    told, goes_on = [], Event()

    def work(tell: Callable[[int], None], stop: Event) -> int:
        goes_on.wait(10)
        for step in range(3):
            tell(step)
            told.append(step)
            if stop.is_set():
                return -1
        return 3

    inquiry = Inquiry(work)
    with inquiry.paused(), inquiry.paused():  # two people wait for a batch
        inquiry.ask()
        goes_on.set()
        wait_for(lambda: inquiry.finding == Finding("running", 0))
        inquiry.wait(0.05)
        assert told == []
    wait_for(lambda: inquiry.finding == Finding("answered", 3))
    with inquiry.paused():
        inquiry.ask()
        inquiry.close()
    assert inquiry.finding == Finding("answered", -1)
