"""The thread that trains, and what is made equal between versions of ipykernel, on a stand-in."""

import asyncio
import json
import signal
import threading
import time
from types import SimpleNamespace

import pytest

from vaenb.panels import kernel, worker
from vaenb.panels.worker import Worker

SOON = 20.0


@pytest.fixture
def made():
    """A worker that keeps how each piece of work ended."""
    ends = []
    made = Worker(lambda result, error: ends.append((result, error)))
    made.ends = ends
    return made


def test_the_result_and_the_end(made):
    made.start(lambda stop: 42)
    assert made.wait(SOON)
    assert made.ends == [(42, None)]
    assert not made.is_running
    assert not made.was_interrupted


def test_the_error(made):
    def fail(stop):
        raise ValueError("no")

    made.start(fail)
    assert made.wait(SOON)
    assert isinstance(made.ends[0][1], ValueError)


def test_its_owners_mistake_does_not_leave_anybody_waiting(recwarn):
    failed = threading.Event()
    before, threading.excepthook = threading.excepthook, lambda _: failed.set()
    try:
        broken = Worker(lambda result, error: 1 / 0)
        broken.start(lambda stop: None)
        assert broken.wait(SOON)
        assert failed.wait(SOON)
    finally:
        threading.excepthook = before


def test_stop_is_heard_and_a_new_start_is_not_stopped(made):
    made.start(lambda stop: stop.wait(SOON))
    made.stop()
    assert made.wait(SOON)
    made.start(lambda stop: stop.is_set())
    assert made.wait(SOON)
    assert made.ends == [(True, None), (False, None)]


def test_a_wait_that_is_too_short(made):
    made.start(lambda stop: stop.wait(SOON))
    assert not made.wait(0.01)
    made.stop()
    assert made.wait(SOON)


def test_everything_that_runs_is_interrupted(made):
    hold = threading.Event()
    made.start(lambda stop: stop.wait(SOON) and hold.wait(SOON))
    assert worker.interrupt_all()
    assert not worker.interrupt_all()  # it knows, and is about to end
    hold.set()
    assert made.wait(SOON)
    assert made.was_interrupted
    assert not worker.interrupt_all()  # nothing runs
    made.start(lambda stop: None)
    made.wait(SOON)
    assert not made.was_interrupted


def test_an_interrupt_after_the_end_is_none(made):
    made.start(lambda stop: None)
    made.wait(SOON)
    made.interrupt()
    assert not made.was_interrupted


def test_the_end_of_python_waits_for_the_step_that_runs(made):
    ended = []

    def work(stop):
        stop.wait(SOON)
        time.sleep(0.05)
        ended.append(True)

    made.start(work)
    worker._end_all()
    assert ended == [True]


def test_waiting_in_its_own_thread_returns(made):
    made.start(lambda stop: made.wait())
    assert made.wait(SOON)
    assert made.ends == [(False, None)]


# ---------------------------------------------------------------- a kernel as ipykernel 6 has it


class Session:
    def feed_identities(self, frames, copy):
        return [b"me"], frames[1:]


class Kernel:
    """The parts of ipykernel 6 that matter: a queue of messages, parents, the handler it will put back."""

    def __init__(self):
        self.msg_queue, self.session = asyncio.Queue(), Session()
        self._parent_ident, self._parents = {"shell": b"cell"}, {"shell": {"of": "the cell"}}
        self.saved_sigint_handler, self.handled = "before", []

    def pre_handler_hook(self):
        self.saved_sigint_handler = signal.signal(signal.SIGINT, signal.default_int_handler)

    def post_handler_hook(self):
        signal.signal(signal.SIGINT, self.saved_sigint_handler)

    def add(self, kind):
        frames = [b"me", b"signature", json.dumps({"msg_type": kind}).encode()]
        self.msg_queue.put_nowait((self.msg_queue.qsize(), self.dispatch, (frames,)))

    async def dispatch(self, frames):
        self.handled.append(json.loads(frames[2])["msg_type"])
        self.saved_sigint_handler = "another"
        self.set_parent(b"comm", {"of": "the comm"}, "shell")

    def get_parent(self, channel):
        return self._parents[channel]

    def set_parent(self, ident, parent, channel):
        self._parent_ident[channel], self._parents[channel] = ident, parent


@pytest.fixture
def old_kernel(monkeypatch):
    made = Kernel()
    monkeypatch.setattr(kernel, "running_kernel", lambda: made)
    return made


def test_what_widgets_say_is_heard_and_the_rest_waits_in_order(old_kernel):
    for kind in ("execute_request", "comm_msg", "kernel_info_request", "comm_open"):
        old_kernel.add(kind)
    asyncio.run(kernel.answer_widgets())
    assert old_kernel.handled == ["comm_msg", "comm_open"]
    left = [json.loads(old_kernel.msg_queue.get_nowait()[2][0][2])["msg_type"] for _ in range(2)]
    assert left == ["execute_request", "kernel_info_request"]
    assert old_kernel.get_parent("shell") == {"of": "the cell"}
    assert old_kernel._parent_ident == {"shell": b"cell"}
    assert old_kernel.saved_sigint_handler == "before"


def test_an_empty_queue_and_newer_kernels_are_left_alone(old_kernel, monkeypatch):
    asyncio.run(kernel.answer_widgets())
    monkeypatch.setattr(kernel, "running_kernel", lambda: SimpleNamespace())
    asyncio.run(kernel.answer_widgets())
    monkeypatch.setattr(kernel, "running_kernel", lambda: None)
    asyncio.run(kernel.answer_widgets())
    assert old_kernel.handled == []


def test_an_interrupt_between_cells_calls_and_passes_on(old_kernel):
    heard = []
    old_kernel.saved_sigint_handler = lambda number, frame: heard.append(("before", number))

    def call():
        heard.append("call")

    kernel.hear_interrupts(call)
    kernel.hear_interrupts(call)  # once is enough
    old_kernel.saved_sigint_handler(2, None)
    assert heard == ["call", ("before", 2)]


def test_a_handler_that_ignores_is_none_to_pass_on_to(old_kernel):
    heard = []
    kernel.hear_interrupts(lambda: heard.append(1))
    old_kernel.saved_sigint_handler(2, None)
    assert heard == [1]


@pytest.fixture
def interrupt_in(old_kernel):
    """Send an interrupt while the kernel handles a message of some kind, with a call that listens."""
    before = signal.getsignal(signal.SIGINT)

    def interrupt(kind, call):
        kernel.hear_interrupts(call)
        old_kernel.set_parent(b"one", {"header": {"msg_type": kind}}, "shell")
        old_kernel.pre_handler_hook()
        try:
            signal.raise_signal(signal.SIGINT)
        finally:
            old_kernel.post_handler_hook()

    yield interrupt
    signal.signal(signal.SIGINT, before)


@pytest.mark.parametrize("kind", ["comm_msg", "complete_request"])
def test_an_interrupt_while_the_kernel_answers_stops_what_runs(interrupt_in, kind):
    heard = []
    for _ in range(2):
        interrupt_in(kind, lambda: heard.append(kind) or True)
    assert heard == [kind, kind]


@pytest.mark.parametrize(
    ("kind", "runs", "calls"),
    [("comm_msg", False, 1), ("execute_request", False, 0), ("execute_request", True, 0)],
)
def test_it_breaks_off_cells_and_answers_beside_which_nothing_runs(interrupt_in, kind, runs, calls):
    heard = []
    with pytest.raises(KeyboardInterrupt):
        interrupt_in(kind, lambda: heard.append(kind) or runs)
    assert len(heard) == calls


def test_other_threads_cannot_listen(old_kernel):
    thread = threading.Thread(target=kernel.hear_interrupts, args=(print,))
    thread.start()
    thread.join()
    assert old_kernel.saved_sigint_handler == "before"


def test_without_a_kernel_there_is_nothing_to_do():
    assert kernel.running_kernel() is None
    kernel.hear_interrupts(print)
