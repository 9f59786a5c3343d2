"""What versions of ipykernel do differently, made equal: interrupts between cells, clicks during a cell.

Everything here does nothing where there is no kernel.
"""

from __future__ import annotations

import json
import signal
import threading
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

_COMMS = {"comm_open", "comm_msg", "comm_close"}


def running_kernel() -> Any:
    """The kernel of this process, or None."""
    try:
        from IPython import get_ipython
    except ImportError:
        return None
    return getattr(get_ipython(), "kernel", None)


class _Listener:
    """What the kernel does about an interrupt while it handles nothing: without it, nothing."""

    def __init__(self, call: Callable[[], bool], before: Any) -> None:
        self.call, self.before = call, before

    def __call__(self, signum: int, frame: Any) -> None:
        self.call()
        if callable(self.before):
            self.before(signum, frame)


class _Hook:
    """What the kernel does before it handles a message: interrupts would break off its answer, and no more.

    A click, or the rows that a table asks for, are messages as well: an interrupt that comes just then is
    meant for the work that everybody sees. Only where nothing is at work does it break off the answer.
    """

    def __init__(self, kernel: Any, call: Callable[[], bool]) -> None:
        self.call, self._kernel, self._inside = call, kernel, kernel.pre_handler_hook

    def __call__(self) -> None:
        self._inside()
        if self._kernel.get_parent("shell")["header"]["msg_type"] != "execute_request":
            signal.signal(signal.SIGINT, self._on_interrupt)

    def _on_interrupt(self, signum: int, frame: Any) -> None:
        if not self.call():
            signal.default_int_handler(signum, frame)


def hear_interrupts(call: Callable[[], bool]) -> None:
    """Have `call` called at each interrupt that comes while no cell runs; telling it twice does no harm.

    While a message is handled the kernel keeps the handler that it will put back in
    ``saved_sigint_handler``: so it works from a cell and from a callback, but not from other threads.

    Parameters
    ----------
    call : callable
        Returns whether there was something to stop.
    """
    kernel = running_kernel()
    in_main = threading.current_thread() is threading.main_thread()
    if kernel is None or not in_main or not hasattr(kernel, "saved_sigint_handler"):
        return
    before, hook = kernel.saved_sigint_handler, kernel.pre_handler_hook
    if not isinstance(before, _Listener) or before.call is not call:
        kernel.saved_sigint_handler = _Listener(call, before)
    if not isinstance(hook, _Hook) or hook.call is not call:
        kernel.pre_handler_hook = _Hook(kernel, call)


async def answer_widgets() -> None:
    """Handle what widgets have said while a cell awaits, where the kernel would leave it until the cell ends.

    ipykernel 6 takes one message from its queue at a time. Later ones have no such queue: they handle
    widgets' messages in another thread (subshells, 7.0 to 7.3) or beside the cell (7.4).
    """
    kernel = running_kernel()
    queue = getattr(kernel, "msg_queue", None)
    if queue is None or not queue.qsize():
        return
    waiting = [queue.get_nowait() for _ in range(queue.qsize())]
    comms = [item for item in waiting if _kind(kernel, item) in _COMMS]
    for item in waiting:
        if item not in comms:
            queue.put_nowait(item)
    parent, ident = kernel.get_parent("shell"), kernel._parent_ident["shell"]  # noqa: SLF001
    handler = kernel.saved_sigint_handler
    try:
        for _, dispatch, arguments in comms:
            await dispatch(*arguments)
    finally:
        kernel.set_parent(ident, parent, "shell")
        kernel.saved_sigint_handler = handler


def _kind(kernel: Any, item: Any) -> str:
    """The type of a message in the queue: its frames after the identities are signature, header, ..."""
    frames = kernel.session.feed_identities(item[2][0], copy=False)[1]
    return str(json.loads(bytes(frames[1]))["msg_type"])
