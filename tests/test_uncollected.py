"""`uncollected`: when the garbage collector runs, and when not."""

import gc
import threading

import pytest

from fastlabel_gradio.uncollected import uncollected


def test_nothing_is_collected_until_the_last_block_is_over() -> None:
    inside, go_on = threading.Event(), threading.Event()

    def other() -> None:
        with uncollected():
            inside.set()
            go_on.wait(10)

    thread = threading.Thread(target=other)
    with uncollected():
        thread.start()
        assert inside.wait(10)
        assert not gc.isenabled()
    assert not gc.isenabled()
    go_on.set()
    thread.join()
    assert gc.isenabled()


def test_a_failure_and_a_collector_that_was_off_leave_it_as_it_was() -> None:
    with pytest.raises(ZeroDivisionError), uncollected():
        raise ZeroDivisionError
    assert gc.isenabled()
    gc.disable()
    try:
        with uncollected():
            pass
        assert not gc.isenabled()
    finally:
        gc.enable()
