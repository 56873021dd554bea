"""The trainer runs one training at a time, the newest request last, and shows what failed."""

import threading

from fastlabel_gradio.errors import StoreError
from fastlabel_gradio.trainer import NotYet, Trainer


def test_requests_during_a_training_become_one_more() -> None:
    started, go_on, runs = threading.Event(), threading.Event(), []

    def work() -> None:
        runs.append(len(runs))
        started.set()
        go_on.wait(10)

    trainer = Trainer(work)
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

    trainer = Trainer(work)
    seen = []
    for _ in range(4):
        trainer.request()
        assert trainer.wait(10)
        seen.append((trainer.training.state, trainer.training.message or trainer.training.error))
    assert seen == [("failed", "disk full"), ("failed", "ValueError: a bug"), ("waiting", "two classes"), ("idle", "")]
    trainer.close()
