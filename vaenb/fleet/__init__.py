"""Thousands of series: fit, score and find events in each, on Dask, into partitioned Parquet. NumPy ring.

TensorFlow is imported where the work is done, once a worker, and series of one shape share a compiled graph.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vaenb.fleet.groups import as_groups, fit_group, group_names
from vaenb.fleet.large import detect_large
from vaenb.fleet.output import Output
from vaenb.fleet.running import KILLED, run
from vaenb.fleet.sources import find_series
from vaenb.fleet.work import Job

if TYPE_CHECKING:
    import os
    import threading
    from collections.abc import Callable, Mapping

    import pandas as pd

    from vaenb.fleet.groups import Grouping
    from vaenb.fleet.sources import Member, Source

__all__ = ["detect_large", "detect_many", "fit_many", "score_many"]


def fit_many(
    source: Source,
    out: str | os.PathLike[str],
    *,
    key: str | None = None,
    group: Grouping | None = None,
    read: Mapping[str, Any] | None = None,
    settings: Mapping[str, Any] | None = None,
    workers: int = 1,
    on_series: Callable[[dict[str, Any]], None] | None = None,
    stop: threading.Event | None = None,
) -> pd.DataFrame:
    """Fit a detector for each series, and save it; see `detect_many`, which also scores.

    Returns
    -------
    DataFrame
        The summary; the detectors are ``out/detectors/<key>.vaenb``.
    """
    job = Job(read=dict(read or {}), settings=dict(settings or {}), scores=False, saves=True)
    return _over_all(source, out, job, key=key, group=group, workers=workers, on_series=on_series, stop=stop)


def score_many(
    source: Source,
    out: str | os.PathLike[str],
    detectors: str | os.PathLike[str],
    *,
    key: str | None = None,
    read: Mapping[str, Any] | None = None,
    workers: int = 1,
    on_series: Callable[[dict[str, Any]], None] | None = None,
    stop: threading.Event | None = None,
) -> pd.DataFrame:
    """Score each series with a detector that is fitted already; see `detect_many`.

    Parameters
    ----------
    detectors : path
        One saved detector for all, or the folder ``out/detectors`` of `fit_many`, with one for each series.
    """
    job = Job(read=dict(read or {}), detector=str(Path(detectors).resolve()))
    return _over_all(source, out, job, key=key, workers=workers, on_series=on_series, stop=stop)


def detect_many(
    source: Source,
    out: str | os.PathLike[str],
    *,
    key: str | None = None,
    group: Grouping | None = None,
    read: Mapping[str, Any] | None = None,
    settings: Mapping[str, Any] | None = None,
    saves: bool = False,
    workers: int = 1,
    on_begin: Callable[[int, int], None] | None = None,
    on_series: Callable[[dict[str, Any]], None] | None = None,
    stop: threading.Event | None = None,
) -> pd.DataFrame:
    """Fit a detector for each series, score it and find its events.

    The work runs on the `dask.distributed.Client` that is active, if there is one. Without it, in this
    process, or in `workers` processes of Dask's local scheduler.

    A run that ended early (a stop, a killed process, a full disk) goes on where it was when it is called
    again with the same `out`: a series that is done is not touched again. One that fails becomes a row with
    its reason, and is tried again by the next call.

    Parameters
    ----------
    source : path, str or Dask DataFrame
        A folder or a pattern (``data/*.parquet``) of CSV and Parquet files, one series a file; with `key`, a
        partitioned Parquet data set or a Dask DataFrame with one series for each value of that column.
    out : path
        A folder; made where it does not exist.
    key : str, optional
        The column that tells the series apart.
    group : mapping or callable, optional
        The name of the group of each series, by the series' name: those of one group share a detector, which
        learns from the training parts of all of them, with one scaler: ``out/groups/<group>.vaenb``.
    read : mapping, optional
        Arguments of `vaenb.read_series` for every series, such as ``{"train_end": 0.5}``.
    settings : mapping, optional
        Arguments of `vaenb.VAEDetector` for every series.
    saves : bool
        Whether to keep the fitted detectors.
    workers : int
        Processes of the local scheduler; 1 works in this one.
    on_begin : callable, optional
        Called once, with the number of series and how many of them are done already.
    on_series : callable, optional
        Called with the row of each series when it is done, in this process.
    stop : threading.Event, optional
        Set it, and no further series is begun.

    Returns
    -------
    DataFrame
        A row for each series that is done, the worst first: ``series``, ``status`` ("done" or "failed"),
        ``reason``, ``n_points``, ``n_channels``, ``window_size``, ``threshold``, ``n_events``,
        ``worst_severity``, ``flagged`` (share of the points), ``highest_score``, ``seconds``. The files are
        ``out/scores/series=<key>/``, ``out/events/series=<key>/`` and ``out/summary/``.

    Raises
    ------
    InputError
        If there is no series, two have one name, or `out` holds the results of other settings.
    OutputError
        If `out` cannot be written to; what is finished stays.

    Examples
    --------
    >>> import tempfile, numpy as np, pandas as pd
    >>> folder = tempfile.mkdtemp()
    >>> for name in ("pump", "fan"):
    ...     pd.DataFrame({"value": np.sin(np.arange(400) / 5)}).to_csv(f"{folder}/{name}.csv", index=False)
    >>> brief = {"epochs": 1, "steps_per_epoch": 2, "window_size": 16}
    >>> found = detect_many(f"{folder}/*.csv", f"{folder}/found", settings=brief)
    >>> sorted(found["series"]), found["status"].tolist()
    (['fan', 'pump'], ['done', 'done'])
    """
    job = Job(read=dict(read or {}), settings=dict(settings or {}), saves=saves)
    return _over_all(
        source,
        out,
        job,
        key=key,
        group=group,
        workers=workers,
        on_begin=on_begin,
        on_series=on_series,
        stop=stop,
    )


def _over_all(
    source: Source,
    out: str | os.PathLike[str],
    job: Job,
    *,
    key: str | None,
    workers: int,
    on_series: Callable[[dict[str, Any]], None] | None,
    stop: threading.Event | None,
    group: Grouping | None = None,
    on_begin: Callable[[int, int], None] | None = None,
) -> pd.DataFrame:
    job.check()
    output = Output(Path(out).resolve())
    if group is None:
        output.check(job.mark)
    members = find_series(source, key=key, scratch=output.folder / "input")
    if group is not None:
        job = replace(job, groups=group_names(members, group))
        output.check(job.mark)
    output.begin(job.mark)
    output.remember(source, key)
    done = output.done() & {member.name for member in members}
    if on_begin is not None:
        on_begin(len(members), len(done))

    def tell(row: dict[str, Any]) -> None:
        if row["reason"] == KILLED:  # it could not write its row
            output.finish(row)
        if on_series is not None:
            on_series(row)

    left = [member for member in members if member.name not in done]
    if job.groups is not None:
        left = _fit_groups(left, job, output, tell, workers=workers, stop=stop)
    run(left, job, output, workers=workers, on_series=tell, stop=stop)
    return output.summary([member.name for member in members])


def _fit_groups(
    members: list[Member],
    job: Job,
    output: Output,
    tell: Callable[[dict[str, Any]], None],
    *,
    workers: int,
    stop: threading.Event | None,
) -> list[Member]:
    """Fit the detectors of the groups; the series whose group has one."""
    names, failed = job.groups or {}, {}

    def hear(row: dict[str, Any]) -> None:
        if row["status"] == "failed":
            failed[row["series"]] = row["reason"]

    groups = as_groups(members, names)
    run(groups, job, output, workers=workers, on_series=hear, stop=stop, act=fit_group)
    for member in members:
        if names[member.name] in failed:
            row = {"series": member.name, "status": "failed", "reason": failed[names[member.name]]}
            output.finish(row)
            tell(row)
    return [member for member in members if names[member.name] not in failed]
