"""A fleet's work on Dask: on the cluster that is active, or on its local scheduler. NumPy ring."""

from __future__ import annotations

import logging
import threading
import time
from concurrent.futures import CancelledError
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from vaenb.checks import check_whole
from vaenb.errors import InputError
from vaenb.fleet.work import work
from vaenb.formats import counted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from vaenb.fleet.output import Output
    from vaenb.fleet.work import Job

    Act = Callable[[Any, Job, Output], dict[str, Any]]  # what is done with a member

AHEAD = 2  # series a worker that wait for it; the more, the longer a stop takes
# Not even the port that a dashboard would have, which another cluster of the user's may have.
NO_DASHBOARD: dict[str, Any] = {
    "dashboard_address": None,
    "scheduler_kwargs": {"dashboard_address": "127.0.0.1:0"},
}
# Workers beside each other: TensorFlow's own threads would only get in each other's way.
ONE_THREAD = dict.fromkeys(("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS", "OMP_NUM_THREADS"), "1")
HEARING = 0.1  # seconds until a stop is heard
PATIENCE = 60.0  # seconds: a scheduler that is restarted is back by then
KILLED = "The worker was killed while it worked on this series, more than once: it may need too much memory."


def run(
    members: Sequence[Any],
    job: Job,
    output: Output,
    *,
    workers: int,
    on_series: Callable[[dict[str, Any]], None] | None,
    stop: threading.Event | None,
    act: Act = work,
) -> None:
    """Work on all members.

    Raises
    ------
    InputError
        If Dask is not installed where it is needed.
    OutputError
        If results cannot be written.
    """
    check_whole("workers", workers)
    client = _active_client()
    tell = on_series or (lambda _: None)
    if client is not None:
        _on_client(client, members, job, output, tell, stop, act)
    elif workers == 1:
        for member in members:
            if stop is not None and stop.is_set():
                return
            tell(act(member, job, output))
    else:
        with _local_client(workers) as local:
            _on_client(local, members, job, output, tell, stop, act)


def _active_client() -> Any:
    """The `dask.distributed.Client` that is open here, or None."""
    import sys

    if "distributed" not in sys.modules:  # nobody can have opened one
        return None
    from distributed import get_client

    try:
        return get_client()
    except ValueError:
        return None


def _local_client(workers: int) -> Any:
    try:
        from distributed import Client
    except ImportError as error:
        raise InputError(
            f"Dask is not installed here, which {workers} workers need: pip install 'vaenb[fleet]', or take "
            "workers=1."
        ) from error
    return Client(
        n_workers=workers,
        threads_per_worker=1,
        processes=True,
        **NO_DASHBOARD,
        env=ONE_THREAD,
        silence_logs=logging.CRITICAL,  # a worker that is killed is told by us, or was stopped on purpose
    )


def _on_client(
    client: Any,
    members: Sequence[Any],
    job: Job,
    output: Output,
    tell: Callable[[dict[str, Any]], None],
    stop: threading.Event | None,
    act: Act,
) -> None:
    """Hand out all series, those that a scheduler forgot when it was restarted once more."""
    left = {member.name: member for member in members}

    def tell_and_strike(row: dict[str, Any]) -> None:
        left.pop(row["series"], None)
        tell(row)

    while left:
        try:
            _hand_out(client, list(left.values()), job, output, tell_and_strike, stop, act)
        except CancelledError:
            _wait_for_scheduler(client, n_left=len(left))
            for row in output.rows():  # a worker may have finished some and could not say so any more
                if row["series"] in left and row["status"] == "done":
                    tell_and_strike(row)
        else:
            return


def _wait_for_scheduler(client: Any, *, n_left: int) -> None:
    """Wait until the client has found its scheduler and a worker again; an `InputError` if it does not."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end and client.status not in {"closed", "closing"}:
        if client.status == "running" and client.scheduler_info()["workers"]:
            return
        time.sleep(0.1)
    raise InputError(
        f"The Dask scheduler is gone, with {counted(n_left, 'series', 'series')} to do. What is done is "
        "kept: start the cluster, and call again with the same out."
    )


def _hand_out(
    client: Any,
    members: Sequence[Any],
    job: Job,
    output: Output,
    tell: Callable[[dict[str, Any]], None],
    stop: threading.Event | None,
    act: Act,
) -> None:
    """Hand out series as workers come free; a stop takes back those that are not done."""
    from distributed import as_completed

    stop = stop or threading.Event()
    waiting, out = list(reversed(members)), {}

    def submit() -> Any:
        member = waiting.pop()
        future = client.submit(act, member, job, output, pure=False)
        out[future.key] = future, member.name
        return future

    n_ahead = AHEAD * max(1, len(client.scheduler_info()["workers"]))
    running = as_completed([submit() for _ in range(min(n_ahead, len(waiting)))])
    with _when_set(stop, lambda: client.cancel([future for future, _ in list(out.values())])):
        for future in running:
            if stop.is_set() and future.cancelled():
                continue
            tell(_result(future, out.pop(future.key)[1]))
            if waiting and not stop.is_set():
                running.add(submit())


@contextmanager
def _when_set(event: threading.Event, act: Callable[[], None]) -> Iterator[None]:
    """Call something once an event is set within the block."""
    over = threading.Event()

    def listen() -> None:
        while not over.wait(HEARING):
            if event.is_set():
                act()
                return

    listener = threading.Thread(target=listen, daemon=True)
    listener.start()
    try:
        yield
    finally:
        over.set()
        listener.join()


def _result(future: Any, name: str) -> dict[str, Any]:
    from distributed.scheduler import KilledWorker

    try:
        return dict(future.result())
    except KilledWorker:
        return {"series": name, "status": "failed", "reason": KILLED}
