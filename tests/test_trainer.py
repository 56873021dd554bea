"""The trainer runs one training at a time, the newest request last, and shows what failed."""

import threading
import time

from fastlabel_gradio.errors import StoreError
from fastlabel_gradio.loop.trainer import NotYet, Trainer
from fastlabel_gradio.superseded import Checkpoint, Superseded


def nothing(checkpoint: Checkpoint) -> None:
    pass


def superseded(checkpoint: Checkpoint) -> bool:
    try:
        checkpoint()
    except Superseded:
        return True
    return False


def test_requests_during_a_training_become_one_more() -> None:
    started, go_on, runs = threading.Event(), threading.Event(), []

    def work() -> None:
        runs.append(len(runs))
        started.set()
        go_on.wait(10)

    trainer = Trainer(work, nothing)
    trainer.request()
    assert started.wait(10)
    for _ in range(5):
        trainer.request()
    assert trainer.training.state == "training"
    assert not trainer.wait(0.01)
    go_on.set()
    assert trainer.wait(10)
    assert runs == [0, 1]
    trainer.close()


def test_a_failure_is_shown_and_the_next_training_clears_it() -> None:
    outcomes: list[Exception | None] = [StoreError("disk full"), ValueError("a bug"), NotYet("two classes"), None]

    def work() -> None:
        outcome = outcomes.pop(0)
        if outcome:
            raise outcome

    trainer = Trainer(work, nothing)
    seen = []
    for _ in range(4):
        trainer.request()
        assert trainer.wait(10)
        seen.append((trainer.training.state, trainer.training.message or trainer.training.error))
    assert seen == [("failed", "disk full"), ("failed", "ValueError: a bug"), ("waiting", "two classes"), ("idle", "")]
    trainer.close()


def test_nobody_waits_for_what_comes_after_a_training_and_a_newer_request_ends_it() -> None:
    began, runs = threading.Event(), []

    def afterwards(checkpoint: Checkpoint) -> None:
        began.set()
        if len(runs) == 1:
            while not superseded(checkpoint):
                time.sleep(0.001)

    trainer = Trainer(lambda: runs.append("trained"), afterwards)
    trainer.request()
    assert began.wait(10)
    assert trainer.wait(10)
    assert not trainer.settle(0.01)
    assert trainer.training.state == "idle"
    trainer.request()
    assert trainer.settle(10)
    assert len(runs) == 2
    trainer.close()


def test_what_comes_after_a_training_is_left_out_where_that_failed_and_its_own_failure_is_shown() -> None:
    outcomes: list[Exception | None] = [ValueError("a bug"), None]

    def work() -> None:
        if outcome := outcomes.pop(0):
            raise outcome

    def afterwards(checkpoint: Checkpoint) -> None:
        raise StoreError("disk full")

    trainer = Trainer(work, afterwards)
    trainer.request()
    assert trainer.settle(10)
    assert trainer.training.error == "ValueError: a bug"
    trainer.request()
    assert trainer.settle(10)
    assert trainer.training.error == "disk full"
    trainer.close()


def test_closing_ends_what_comes_after_a_training() -> None:
    began, ended = threading.Event(), threading.Event()

    def afterwards(checkpoint: Checkpoint) -> None:
        began.set()
        while not superseded(checkpoint):
            time.sleep(0.001)
        ended.set()

    trainer = Trainer(lambda: None, afterwards)
    trainer.request()
    assert began.wait(10)
    trainer.close()
    assert ended.is_set()


def test_what_comes_after_a_training_waits_while_paused_but_a_training_does_not() -> None:
    runs, checks = [], []

    def afterwards(checkpoint: Checkpoint) -> None:
        checks.append(superseded(checkpoint))

    trainer = Trainer(lambda: runs.append("trained"), afterwards)
    with trainer.paused():
        trainer.request()
        assert trainer.wait(10)
        assert not trainer.settle(0.05)
        assert (runs, checks) == (["trained"], [])
        trainer.request()
        assert trainer.wait(10)
        assert len(runs) == 2
    assert trainer.settle(10)
    assert checks[-1] is False
    trainer.close()


def test_what_comes_after_a_training_pauses_on_its_way_and_closing_ends_a_pause() -> None:
    began, go_on, answers = threading.Event(), threading.Event(), []

    def afterwards(checkpoint: Checkpoint) -> None:
        began.set()
        go_on.wait(10)
        answers.append(superseded(checkpoint))

    trainer = Trainer(lambda: None, afterwards)
    trainer.request()
    assert began.wait(10)
    with trainer.paused():
        go_on.set()
        assert not trainer.settle(0.05)
        assert answers == []
        trainer.close()
    assert answers == [True]


def test_a_training_that_is_asked_for_within_a_while_begins_by_itself_or_with_the_next_request() -> None:
    trained, runs = threading.Semaphore(0), []

    def work() -> None:
        runs.append("trained")
        trained.release()

    trainer = Trainer(work, nothing)
    trainer.request_within(3600)
    assert trainer.settle(0), "nobody waits for what is not due yet"
    trainer.request_within(0.01)
    assert trained.acquire(timeout=10)
    trainer.request_within(3600)
    trainer.request()
    assert trained.acquire(timeout=10)
    assert trainer.settle(10)
    trainer.close()
    assert len(runs) == 2
