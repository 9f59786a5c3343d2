"""A sample of a series that is larger than memory: blocks of rows drawn over its length. NumPy ring."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from vaenb.errors import InputError
from vaenb.reading import read_series
from vaenb.reading.grid import lay_grid
from vaenb.records import Series

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd
    from numpy.typing import NDArray

    from vaenb.preparing import Prepared
    from vaenb.reading.pieces import PiecesOf
    from vaenb.records import Floats, Ints, Windows

FIRST_ROWS = 100_000  # in which the columns are told apart
SAMPLE_VALUES = 500_000  # numbers that are learnt from
BLOCK = 8_192  # rows that follow each other: the longest length that is judged is 1,024 points by default


class Reader:
    """The rows of a file as times and values, all read as its first rows were.

    Parameters
    ----------
    pieces : PiecesOf
    read : mapping
        Arguments of `vaenb.read_series`.
    name : str

    Attributes
    ----------
    like : Series
        Its first rows.
    """

    def __init__(self, pieces: PiecesOf, read: Mapping[str, Any], *, name: str) -> None:
        self.pieces = pieces
        first = next(pieces.read(FIRST_ROWS), None)
        if first is None:
            raise InputError(f"{pieces.path} has no rows; expected at least one: check how it was written.")
        asked = {key: value for key, value in read.items() if key != "train_end"}
        self.like = read_series(first, name=name, **asked)
        self._read: dict[str, Any] = {
            "time": read.get("time"),
            "values": list(self.like.channels),
            "labels": False,
        }

    def arrays(self, table: pd.DataFrame, first_row: int) -> tuple[NDArray[Any], Floats]:
        """Times, shape (n_rows,), and values, (n_rows, n_channels), of rows that begin at `first_row`.

        Raises
        ------
        InputError
            If they cannot be read as the first ones were.
        """
        where = f"rows {first_row:,} to {first_row + len(table):,} (counted from 0)"
        table = table.reset_index(drop=True)
        is_empty = bool(table[list(self.like.channels)].isna().all(axis=None))
        if is_empty:  # which is no series on its own; its times count
            table = table.assign(**{self.like.channels[0]: 0.0})
        try:
            found = read_series(table, may_rest=True, **self._read)
        except InputError as error:
            raise InputError(f"In {where}: {error}") from None
        if found.index.dtype != self.like.index.dtype or found.index_name != self.like.index_name:
            raise InputError(
                f"In {where} the time axis is {found.index_name!r}, and {self.like.index_name!r} in the rows "
                "before: name it with time=."
            )
        values = np.full_like(found.values, np.nan) if is_empty else found.values
        if found.index_name == "index" and found.interval is None and not found.index[0]:
            return found.index + first_row, values  # the number of the row
        return found.index, values


def draw_sample(reader: Reader, *, n_rows: int, seed: int) -> tuple[Series, Ints]:
    """Blocks drawn from the first rows of a file, one at random from each equal part of them.

    Parameters
    ----------
    reader : Reader
    n_rows : int
        The training part; all of it, where it is no longer than the sample may be.
    seed : int

    Returns
    -------
    Series
        The blocks one after the other; all of it is the training part.
    ndarray of int64
        The cells at which a block begins that follows another.
    """
    like = reader.like
    starts, length = _blocks(n_rows, SAMPLE_VALUES // like.n_channels, seed)
    parts: list[list[tuple[NDArray[Any], Floats]]] = [[] for _ in starts]
    begin = 0
    for table in reader.pieces.read(FIRST_ROWS):
        end = begin + len(table)
        for block in np.flatnonzero((starts < end) & (starts + length > begin)):
            low, high = max(starts[block], begin), min(starts[block] + length, end)
            parts[block].append(reader.arrays(table.iloc[low - begin : high - begin], int(low)))
        begin = end
        if begin >= starts[-1] + length:
            break
    blocks = [tuple(map(np.concatenate, zip(*part, strict=True))) for part in parts if part]
    for (before, _), (after, _), row in zip(blocks, blocks[1:], starts[1:], strict=False):
        check_order(before[0], after[0], int(row))
    # Of a sensor that was dead for months nothing can be learnt.
    return join(like, [block for block in blocks if not np.isnan(block[1]).all()] or blocks)


def check_order(earlier: Any, later: Any, row: int) -> None:
    """Raise `InputError` where the time at a row lies before the time at a row in front of it."""
    if later < earlier:
        raise InputError(
            f"Row {row:,} (counted from 0) is at {later}, and a row before it at {earlier}; a series that is "
            "read from the disk in parts must be in order of time: sort the file."
        )


def _blocks(n_rows: int, most: int, seed: int) -> tuple[Ints, int]:
    """Where the blocks start, and how long each is, in rows."""
    if n_rows <= most:
        return np.zeros(1, dtype=np.int64), n_rows
    n_blocks = max(1, most // BLOCK)
    edges = np.linspace(0, n_rows - BLOCK, n_blocks + 1)
    shares = np.random.default_rng(seed).random(n_blocks)
    starts = (edges[:-1] + shares * np.diff(edges)).astype(np.int64)
    # Parts shorter than a block would let two of them overlap.
    before = BLOCK * np.arange(n_blocks)
    apart = np.minimum(np.maximum.accumulate(starts - before), n_rows - BLOCK * n_blocks)
    return apart + before, BLOCK


def blocks_of(n_rows: int, most: int, seed: int) -> list[slice]:
    """Places of the rows of a sample of at most `most` rows."""
    starts, length = _blocks(n_rows, most, seed)
    return [slice(start, start + length) for start in starts]


def join(like: Series, blocks: Sequence[tuple[Any, ...]]) -> tuple[Series, Ints]:
    """Blocks of times and values as one series, and the cells at which all but the first begin."""
    grids = [lay_grid(index) for index, _ in blocks]
    seams = np.cumsum([0, *(grid.n_cells for grid in grids)])
    index, values = (np.concatenate(each) for each in zip(*blocks, strict=True))
    cells = np.concatenate([grid.cells + seam for grid, seam in zip(grids, seams[:-1], strict=True)])
    return series_like(like, (index, values), cells, int(seams[-1])), seams[1:-1]


def series_like(like: Series, rows: tuple[NDArray[Any], Floats], cells: Ints, n_cells: int) -> Series:
    """Times and values as a series that is called as another is, and all of it the training part."""
    index, values = rows
    return Series(
        name=like.name,
        index=index,
        values=values,
        channels=like.channels,
        train_end=len(index),
        cells=cells,
        n_cells=n_cells,
        interval=like.interval,
        index_name=like.index_name,
    )


def without_seams(prepared: Prepared, seams: Ints) -> Prepared:
    """Leave out the windows that hold cells of two blocks."""

    def apart(windows: Windows) -> Windows:
        following = np.append(seams, prepared.series.n_cells)[
            np.searchsorted(seams, windows.starts, side="right")
        ]
        return windows[windows.starts + windows.window_size <= following]

    return replace(
        prepared,
        everything=apart(prepared.everything),
        train=apart(prepared.train),
        calibration=apart(prepared.calibration),
    )
