"""One series larger than memory: learnt from a sample, scored part by part from the disk. NumPy ring."""

from __future__ import annotations

import shutil
import time
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from vaenb.errors import InputError
from vaenb.fleet.learning import learn
from vaenb.fleet.output import Output
from vaenb.fleet.parts import Part, Parts, as_dicts, events_of
from vaenb.fleet.sample import Reader, check_order, draw_sample, series_like, without_seams
from vaenb.fleet.work import Job
from vaenb.reading.grid import lay_grid
from vaenb.reading.pieces import PiecesOf
from vaenb.reading.tables import stem_of

if TYPE_CHECKING:
    import os
    import threading
    from collections.abc import Callable, Iterator, Mapping

    import pandas as pd
    from numpy.typing import NDArray

    from vaenb.detector import VAEDetector
    from vaenb.records import Floats, Series

    Rows = tuple[NDArray[Any], Floats]

PART_VALUES = 500_000  # numbers that are scored at once, about


def detect_large(
    source: str | os.PathLike[str],
    out: str | os.PathLike[str],
    *,
    read: Mapping[str, Any] | None = None,
    settings: Mapping[str, Any] | None = None,
    on_begin: Callable[[int, int], None] | None = None,
    on_rows: Callable[[int], None] | None = None,
    stop: threading.Event | None = None,
) -> pd.DataFrame:
    """Find the events of one series that does not fit into memory.

    The detector learns from blocks of rows drawn over the whole training part, about 500,000 numbers. Then
    the file is scored part by part, each with as many rows beside it as its scores depend on: they are those
    of `vaenb.VAEDetector.decision_function` on the whole. Rows are taken in the order of the file.

    A run that ended early goes on where it was when it is called again with the same `out`; of one that
    ended, the events are read.

    Parameters
    ----------
    source : path
        A CSV or Parquet file, or a folder of Parquet files in the order of their names.
    out : path
        A folder; made where it does not exist.
    read : mapping, optional
        Arguments of `vaenb.read_series`. `train_end` is a share or a number of rows; all rows without it.
    settings : mapping, optional
        Arguments of `vaenb.VAEDetector`.
    on_begin : callable, optional
        Called once, with the number of rows and how many of them are scored already.
    on_rows : callable, optional
        Called with the number of rows that a part has, when it is written.
    stop : threading.Event, optional
        Set it, and no further part is begun.

    Returns
    -------
    DataFrame
        The events, as of `vaenb.VAEDetector.detect`; after a stop, of the parts that are done. An event over
        the edge of two parts shares its blame by the lengths of its pieces. The files lie as `detect_many`
        leaves them: ``out/scores/series=<name>/part-*.parquet``, ``out/events/``, ``out/detectors/``.

    Raises
    ------
    InputError
        If the file cannot be read, its rows are not in order of time, or `out` holds something else.
    OutputError
        If `out` cannot be written to; what is finished stays.

    Examples
    --------
    >>> import tempfile, pandas as pd
    >>> folder = tempfile.mkdtemp()
    >>> pd.DataFrame({"value": np.sin(np.arange(3000) / 5)}).to_parquet(f"{folder}/pump.parquet")
    >>> brief = {"epochs": 1, "steps_per_epoch": 2, "window_size": 16}
    >>> found = detect_large(f"{folder}/pump.parquet", f"{folder}/found", settings=brief)
    >>> list(found)[:3]
    ['start', 'end', 'peak']
    """
    path, output = Path(source).resolve(), Output(Path(out).resolve())
    job = Job(read=dict(read or {}), settings=dict(settings or {}), saves=True)
    job.check()
    began, pieces = time.perf_counter(), PiecesOf(path)
    n_train = _train_rows(job.read.get("train_end"), pieces.n_rows)
    output.check(mark := {**job.mark, "series": str(path), "rows": pieces.n_rows})
    reader = Reader(pieces, job.read, name=stem_of(path))
    output.begin(mark)
    parts = Parts(output, reader.like)
    if parts.are_finished:
        return parts.found()
    if on_begin is not None:
        on_begin(pieces.n_rows, parts.n_rows)
    detector = _detector(reader, n_train, job, output, stop)
    if detector is None:
        return events_of([], reader.like)
    for number, first, rows, around in _with_margins(reader, _reach(detector)):
        if stop is not None and stop.is_set():
            return events_of(parts.events(detector.window_size_), reader.like)
        if number not in parts:
            parts.add(number, _score(detector, reader.like, rows, around, first))
            if on_rows is not None:
                on_rows(len(rows[0]))
    events = parts.events(detector.window_size_)
    parts.finish(events, detector, seconds=round(time.perf_counter() - began, 3))
    shutil.rmtree(parts.folder, ignore_errors=True)
    return events_of(events, reader.like)


def _detector(
    reader: Reader, n_train: int, job: Job, output: Output, stop: threading.Event | None
) -> VAEDetector | None:
    """The fitted detector, always as it comes out of its file; None after a stop before it was trained."""
    from vaenb.detector import VAEDetector
    from vaenb.saving import load

    path = output.detector(reader.like.name)
    if not path.exists():
        detector = VAEDetector(**job.settings)
        sample, seams = draw_sample(reader, n_rows=n_train, seed=detector.seed)
        with warnings.catch_warnings(action="ignore"):
            if not learn(detector, without_seams(detector.fit_prepare(sample), seams), stop=stop):
                return None
        detector.save(path)
    return load(path)


def _train_rows(train_end: Any, n_rows: int) -> int:
    """The rows of the training part."""
    if train_end is None:
        return n_rows
    try:
        found = float(train_end)
    except (TypeError, ValueError):
        found = -1.0
    wanted = round(found * n_rows) if 0 < found < 1 else int(found)
    if not 0 < wanted <= n_rows:
        raise InputError(
            f"train_end is {train_end!r}; of a series that is read from the disk in parts, expected a number "
            f"of rows from 1 to {n_rows:,}, or a share between 0 and 1."
        )
    return wanted


def _reach(detector: VAEDetector) -> int:
    """How many rows away a row can be that a score depends on."""
    longest = int(detector.lengths_.lengths_[-1]) if detector.lengths_ is not None else 0
    return int(detector.window_size_) + longest


def _with_margins(reader: Reader, reach: int) -> Iterator[tuple[int, int, Rows, tuple[Rows, Rows]]]:
    """Each part's number, its first row, its rows, and the rows beside it.

    Raises
    ------
    InputError
        If a part begins before the one in front of it.
    """
    size = max(PART_VALUES // reader.like.n_channels, 4 * reach)
    before = now = None
    number = first = row = 0
    for table in reader.pieces.read(size):
        after = reader.arrays(table, row)
        row += len(table)
        if now is not None:
            check_order(now[0][0], after[0][0], row - len(table))
            yield number, first, now, (_last(before or now, reach if before else 0), _first(after, reach))
            first, before, number = first + len(now[0]), now, number + 1
        now = after
    if now is not None:
        yield number, first, now, (_last(before or now, reach if before else 0), _first(now, 0))


def _first(rows: Rows, n: int) -> Rows:
    return rows[0][:n], rows[1][:n]


def _last(rows: Rows, n: int) -> Rows:
    begin = max(len(rows[0]) - n, 0)
    return rows[0][begin:], rows[1][begin:]


def _score(detector: VAEDetector, like: Series, rows: Rows, around: tuple[Rows, Rows], first: int) -> Part:
    """The scores and events of a part."""
    before, after = around
    index, values = (np.concatenate(each) for each in zip(before, rows, after, strict=True))
    own = slice(len(before[0]), len(index) - len(after[0]))
    grid = lay_grid(index)
    series = series_like(like, (index, values), grid.cells, grid.n_cells)
    scores = np.full(len(index), np.nan)
    if not np.isnan(values).all():
        scores[own] = np.asarray(detector.decision_function(series))[own]
    order = np.argsort(grid.cells, kind="stable")
    found = []
    if not np.isnan(scores).all():
        events = detector.find_events(series, scores=scores)  # of its own rows: NaN flags nothing
        found = as_dicts(events, rows=first - own.start + order, times=index[order])
    flags = (scores[own] > detector.threshold_).astype(np.int8)
    return Part(index=rows[0], scores=scores[own], flags=flags, events=found)
