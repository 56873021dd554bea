"""LoginDelay: a growing delay for whoever guesses, on a clock of its own."""

import pytest

from fastlabel_gradio.server.access import login_delay
from fastlabel_gradio.server.access.login_delay import FORGOTTEN_S, FREE, HELD_S, LONGEST_S, Key, LoginDelay

ANN: Key = ("name", "ann")
HOME: Key = ("address", "192.0.2.1")


class Clock:
    """Seconds that a test moves."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def delay(clock: Clock) -> LoginDelay:
    return LoginDelay(clock)


def guess(delay: LoginDelay, clock: Clock, *keys: Key) -> float:
    """Waits as long as it must and guesses wrong; the seconds that it waited."""
    wait_s, may_go_on = delay.turn(*keys)
    if not may_go_on:
        clock.now += wait_s
        again_s, may_go_on = delay.turn(*keys)
        assert may_go_on
        return wait_s + again_s
    clock.now += wait_s
    return wait_s


def test_some_wrong_ones_are_free_and_then_each_waits_longer_up_to_a_limit(delay: LoginDelay, clock: Clock) -> None:
    waits = [guess(delay, clock, ANN) for _ in range(20)]
    assert waits[: FREE["name"]] == [0.0] * FREE["name"]
    growing = waits[FREE["name"] :]
    assert growing[:5] == pytest.approx([0.5, 1, 2, 4, 8])
    assert growing == sorted(growing)
    assert growing[-1] == pytest.approx(LONGEST_S)


def test_guesses_at_the_same_moment_queue_and_most_are_refused(delay: LoginDelay) -> None:
    turns = [delay.turn(ANN) for _ in range(1000)]
    let_in = [wait_s for wait_s, may_go_on in turns if may_go_on]
    assert len(let_in) < 2 * FREE["name"]
    assert let_in == sorted(let_in)
    assert max(let_in) <= HELD_S


def test_other_names_and_addresses_are_not_delayed(delay: LoginDelay) -> None:
    for _ in range(30):
        delay.turn(ANN, HOME)
    assert delay.turn(("name", "bob"), ("address", "192.0.2.2")) == (0.0, True)
    assert delay.turn(("token", HOME[1])) == (0.0, True)


def test_one_address_that_tries_many_names_is_delayed(delay: LoginDelay, clock: Clock) -> None:
    waits = [guess(delay, clock, ("name", f"n{number}"), HOME) for number in range(FREE["address"] + 4)]
    assert waits[FREE["address"] - 1] == 0
    assert waits[-1] > waits[-2] > 0


def test_many_addresses_that_try_one_name_are_delayed(delay: LoginDelay, clock: Clock) -> None:
    waits = [guess(delay, clock, ANN, ("address", str(number))) for number in range(FREE["name"] + 4)]
    assert waits[-1] > waits[-2] > 0


def test_a_right_one_forgets_the_name(delay: LoginDelay, clock: Clock) -> None:
    for _ in range(FREE["name"] + 3):
        guess(delay, clock, ANN, HOME)
    guess(delay, clock, ANN, HOME)
    delay.right(ANN, HOME)
    assert delay.turn(ANN) == (0.0, True)


def test_right_ones_never_delay_an_address(delay: LoginDelay) -> None:
    for number in range(100):
        keys = ("name", f"n{number}"), HOME
        assert delay.turn(*keys) == (0.0, True)
        delay.right(*keys)


def test_an_account_of_one_s_own_does_not_hide_guesses_at_others(delay: LoginDelay, clock: Clock) -> None:
    waits = []
    for _ in range(FREE["address"] + 3):
        waits.append(guess(delay, clock, ("name", "victim"), HOME))
        guess(delay, clock, ("name", "mallory"), HOME)
        delay.right(("name", "mallory"), HOME)
    assert waits[-1] > 0
    assert delay.wrong_count(HOME) == FREE["address"] + 3


def test_wrong_ones_are_forgotten_after_a_while(delay: LoginDelay, clock: Clock) -> None:
    for _ in range(FREE["name"] + 3):
        guess(delay, clock, ANN)
    clock.now += FORGOTTEN_S + 1
    assert delay.turn(ANN) == (0.0, True)
    assert delay.wrong_count(ANN) == 1


def test_what_is_remembered_is_bounded(delay: LoginDelay, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(login_delay, "KEPT", 50)
    for number in range(500):
        delay.turn(("name", f"{number}" * 1000))
    assert len(delay._tries) == 50
    assert all(len(key) == 16 for key in delay._tries)
