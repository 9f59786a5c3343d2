"""At most so many calls a second, and the last one always; or one call when it is quiet."""

import threading

import pytest

from vaenb.panels.pace import Lull, Pace

PATIENT = 10  # seconds until a call that must come has come


class Seen:
    """Notes what is newest at each call."""

    def __init__(self):
        self.newest, self.calls, self._came = None, [], threading.Condition()

    def __call__(self):
        with self._came:
            self.calls.append(self.newest)
            self._came.notify_all()

    def wait_for(self, value):
        """Wait until a call has seen a value."""
        with self._came:
            return self._came.wait_for(lambda: self.calls[-1:] == [value], PATIENT)


def ask(pace, seen, values):
    for value in values:
        seen.newest = value
        pace()


def test_the_first_call_is_made_at_once():
    seen = Seen()
    pace = Pace(seen)
    ask(pace, seen, [1])
    assert seen.calls == [1]
    pace.end()


def test_what_comes_in_between_is_dropped_and_the_last_is_not():
    seen = Seen()
    pace = Pace(seen, per_second=20)
    ask(pace, seen, range(1000))
    assert seen.wait_for(999)
    assert seen.calls[0] == 0
    assert len(seen.calls) < 100
    pace.end()


@pytest.mark.parametrize("n_threads", [1, 4])
def test_the_last_is_seen_whoever_asks(n_threads):
    seen = Seen()
    pace = Pace(seen, per_second=500)
    threads = [threading.Thread(target=ask, args=(pace, seen, range(300))) for _ in range(n_threads)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    ask(pace, seen, ["last"])
    assert seen.wait_for("last")
    pace.end()


def test_a_slow_call_does_not_end_after_a_newer_one():
    newest, shown, slow, go_on = [1], [], threading.Event(), threading.Event()

    def show():
        read = newest[0]
        if read == 1:
            slow.set()
            go_on.wait(PATIENT)
        shown.append(read)

    pace = Pace(show, per_second=1000)
    first = threading.Thread(target=pace)
    first.start()
    assert slow.wait(PATIENT)
    newest[0] = 2
    asks = threading.Timer(0.05, go_on.set)  # the newer one is due long before the slow one ends
    asks.start()
    pace()
    first.join()
    asks.join()
    for _ in range(1000):
        if shown[-1:] == [2]:
            break
        threading.Event().wait(PATIENT / 1000)
    assert shown == [1, 2]
    pace.end()


def test_after_an_error_the_next_call_is_made():
    calls = []

    def fail_once():
        calls.append(1)
        if len(calls) == 1:
            raise ValueError("once")

    pace = Pace(fail_once, per_second=0.001)
    with pytest.raises(ValueError, match="once"):
        pace()
    pace()
    pace.flush()
    assert len(calls) == 2
    pace.end()


def test_flush_makes_the_waiting_call_now_and_only_that():
    seen = Seen()
    pace = Pace(seen, per_second=0.001)
    ask(pace, seen, [1, 2, 3])
    assert seen.calls == [1]
    pace.flush()
    pace.flush()
    assert seen.calls == [1, 3]
    pace.end()


def test_with_patience_what_comes_in_pairs_is_one_call():
    seen = Seen()
    pace = Pace(seen, per_second=1000, patience=0.05)
    ask(pace, seen, ["one", "both"])
    assert seen.calls == []
    assert seen.wait_for("both")
    assert seen.calls == ["both"]
    pace.end()


@pytest.mark.parametrize("kind", [lambda call: Pace(call, per_second=0.001), Lull])
def test_after_the_end_nothing_is_called(kind):
    seen = Seen()
    pace = kind(seen)
    ask(pace, seen, [1, 2])
    before = list(seen.calls)
    pace.end()
    ask(pace, seen, [3])
    pace.flush()
    pace.end()
    assert seen.calls == before
    assert pace._timer is None


def test_a_timer_that_fires_during_the_end_calls_nothing():
    seen = Seen()
    pace = Pace(seen, per_second=0.001)
    ask(pace, seen, [1, 2])
    pace.end()
    pace._fire()
    assert seen.calls == [1]


def test_a_lull_calls_once_when_it_is_quiet():
    seen = Seen()
    lull = Lull(seen, seconds=0.05)
    ask(lull, seen, range(100))
    assert seen.calls == []
    assert seen.wait_for(99)
    assert seen.calls == [99]
    lull.end()


def test_a_lull_can_be_cut_short():
    seen = Seen()
    lull = Lull(seen, seconds=1000)
    ask(lull, seen, [1, 2])
    lull.flush()
    lull.flush()
    assert seen.calls == [2]
    lull.end()
