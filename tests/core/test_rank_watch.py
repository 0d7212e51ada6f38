"""The watch over ranks: who is gone or failed alone ends the others, with one message."""

import threading
import time

import pytest

from genlab.core import rank_watch
from genlab.core.rank_watch import RankWatch


class Store:
    """A store in memory that can be lost, or stand still."""

    def __init__(self):
        self.values, self.lost, self.running = {}, False, threading.Event()
        self.running.set()

    def answer(self):
        self.running.wait()
        if self.lost:
            raise RuntimeError("Connection reset by peer")

    def set(self, key, value):
        self.answer()
        self.values[key] = value

    def get(self, key):
        self.answer()
        return self.values[key]

    def check(self, keys):
        self.answer()
        return all(key in self.values for key in keys)

    def add(self, key, number):
        self.answer()
        self.values[key] = self.values.get(key, 0) + number
        return self.values[key]


class Watch(RankWatch):
    """Keeps the message that would be printed, instead of ending the process of the tests."""

    message = None

    def end(self, message):
        answers = not self.lost_store
        self.message = message if not message or not answers or self.is_first_to_tell() else "told by another"
        self.stopped.set()


@pytest.fixture
def ranks(monkeypatch):
    for name, seconds in {"BEAT": 0.01, "PATIENCE": 0.3, "GRACE": 0.15, "FAREWELL": 0.5}.items():
        monkeypatch.setattr(rank_watch, name, seconds)
    store = Store()
    watches = [Watch(store, rank, 3) for rank in range(3)]
    yield store, watches
    for watch in watches:
        watch.stopped.set()


def wait_for(watches):
    deadline = time.monotonic() + 5
    while any(watch.message is None for watch in watches) and time.monotonic() < deadline:
        time.sleep(0.01)
    return sorted(str(watch.message) for watch in watches)


def test_a_rank_that_stands_still_ends_the_others_with_one_message(ranks):
    _, watches = ranks
    watches[0].how_to_resume = watches[1].how_to_resume = "Resume with resume=RUN."
    watches[2].stopped.set()
    message, silent = wait_for(watches[:2])
    assert message.startswith("Rank 2 no longer answers") and message.endswith("Resume with resume=RUN.")
    assert silent == "told by another"


@pytest.mark.parametrize("how", ["lost", "still"])
def test_a_store_that_is_gone_or_stands_still_ends_the_ranks(ranks, how):
    store, watches = ranks
    time.sleep(0.05)
    if how == "still":
        store.running.clear()
        for watch in watches:
            watch.is_first_to_tell = lambda: True
    store.lost = how == "lost"
    assert all("where the ranks meet" in message for message in wait_for(watches))
    store.running.set()


def test_a_rank_that_failed_alone_ends_the_others_silently(ranks):
    _, watches = ranks
    assert watches[1].fail()
    assert wait_for([watches[0], watches[2]]) == ["", ""]
    assert watches[1].message is None


def test_the_same_failure_on_all_ranks_is_told_once_and_ends_no_rank(ranks):
    _, watches = ranks
    assert sorted(watch.fail() for watch in watches) == [False, False, True]
    time.sleep(0.3)
    assert all(watch.message is None for watch in watches)


def test_ranks_leave_in_good_order(ranks):
    _, watches = ranks
    for watch in reversed(watches):
        watch.leave()
    time.sleep(0.4)
    assert all(watch.message is None for watch in watches)
