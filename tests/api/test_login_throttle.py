"""Guessing passwords is slow, whoever's and from wherever; signing in is not."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.login_throttle import BoundedMemory, Throttle, Throttled

HERE = "192.0.2.1"


class HeldClock:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 1, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def move(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


@pytest.fixture
def clock() -> HeldClock:
    return HeldClock()


@pytest.fixture
def throttle(clock: HeldClock) -> Throttle:
    return Throttle(clock)


def fail(throttle: Throttle, account: str, address: str, times: int = 5) -> None:
    for _ in range(times):
        throttle.check(account, address)
        throttle.failed(account, address)


def wait(throttle: Throttle, account: str, address: str) -> int:
    try:
        throttle.check(account, address)
    except Throttled as refused:
        return refused.retry_after
    return 0


def test_four_failures_are_human(throttle: Throttle) -> None:
    fail(throttle, "olga", HERE, times=4)
    assert wait(throttle, "olga", HERE) == 0


def test_an_account_waits_after_five_failures_from_anywhere(throttle: Throttle) -> None:
    for number in range(5):
        fail(throttle, "olga", f"192.0.2.{number}", times=1)
    assert wait(throttle, "olga", "198.51.100.1") == 300


def test_an_address_waits_after_five_failures_with_any_account(throttle: Throttle) -> None:
    for number in range(5):
        fail(throttle, f"person{number}", HERE, times=1)
    assert wait(throttle, "olga", HERE) == 300


def test_others_do_not_wait(throttle: Throttle) -> None:
    fail(throttle, "olga", HERE)
    assert wait(throttle, "pavel", "198.51.100.1") == 0


def test_the_wait_is_told_and_ends(throttle: Throttle, clock: HeldClock) -> None:
    fail(throttle, "olga", HERE)
    clock.move(299.5)
    assert wait(throttle, "olga", HERE) == 1
    clock.move(0.5)
    assert wait(throttle, "olga", HERE) == 0


def test_the_window_moves(throttle: Throttle, clock: HeldClock) -> None:
    for _ in range(5):
        fail(throttle, "olga", HERE, times=1)
        clock.move(60)
    assert wait(throttle, "olga", HERE) == 0
    throttle.failed("olga", HERE)
    assert wait(throttle, "olga", HERE) == 60


def test_success_clears_the_account(throttle: Throttle) -> None:
    fail(throttle, "olga", HERE, times=4)
    throttle.check("olga", HERE)
    throttle.succeeded("olga", HERE)
    fail(throttle, "olga", "198.51.100.1", times=4)
    assert wait(throttle, "olga", "198.51.100.1") == 0


def test_success_with_ones_own_account_does_not_clear_the_address(throttle: Throttle) -> None:
    fail(throttle, "olga", HERE, times=4)
    throttle.succeeded("mallory", HERE)
    fail(throttle, "pavel", HERE, times=1)
    assert wait(throttle, "mallory", HERE) == 300


def test_signing_in_all_day_is_free(throttle: Throttle) -> None:
    for _ in range(100):
        throttle.check("olga", HERE)
        throttle.succeeded("olga", HERE)


def test_guesses_that_come_all_at_once_are_not_all_let_through(throttle: Throttle) -> None:
    waits = [wait(throttle, "olga", f"192.0.2.{number}") for number in range(100)]
    assert waits.count(0) == 5


@pytest.mark.parametrize("written", ["OLGA@example.org", " olga@example.org ", "ｏlga@example.org"])
def test_one_account_is_one_however_it_is_written(throttle: Throttle, written: str) -> None:
    fail(throttle, "olga@example.org", HERE)
    assert wait(throttle, written, "198.51.100.1") == 300


def test_one_ipv6_network_is_one_address(throttle: Throttle) -> None:
    for number in range(5):
        fail(throttle, f"person{number}", f"2001:db8::{number}", times=1)
    assert wait(throttle, "olga", "2001:db8::ffff") == 300
    assert wait(throttle, "olga", "2001:db8:0:1::1") == 0


def test_an_ipv4_address_is_the_same_inside_ipv6(throttle: Throttle) -> None:
    for number in range(5):
        fail(throttle, f"person{number}", HERE, times=1)
    assert wait(throttle, "olga", f"::ffff:{HERE}") == 300


@given(st.text(st.characters()), st.text(st.characters()))
def test_no_name_or_address_makes_it_fail(account: str, address: str) -> None:
    throttle = Throttle()
    fail(throttle, account, address)
    assert wait(throttle, account, address) > 0


def test_memory_is_bounded(clock: HeldClock) -> None:
    memory = BoundedMemory(clock, capacity=10)
    for number in range(1_000):
        memory.acquire_entry(str(number), 5, 300)
    assert memory.reset() == 10


def test_cycling_through_names_does_not_free_the_address(clock: HeldClock) -> None:
    throttle = Throttle(clock, capacity=3)
    for number in range(5):
        fail(throttle, f"person{number}", HERE, times=1)
    assert wait(throttle, "olga", HERE) == 300


def test_threads_lose_no_failure(clock: HeldClock) -> None:
    memory = BoundedMemory(clock, capacity=10)
    with ThreadPoolExecutor(8) as pool:
        taken = list(pool.map(lambda _: memory.acquire_entry("olga", 50, 300), range(400)))
    assert taken.count(True) == 50
    assert memory.get_moving_window("olga", 50, 300)[1] == 50
