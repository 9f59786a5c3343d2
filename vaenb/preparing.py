"""Step 1, prepare data: from a series to scaled windows, split in time. NumPy ring."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

from vaenb.errors import InputError
from vaenb.periods import choose_window_size
from vaenb.records import Series, Windows
from vaenb.scaling import Scaler, ScalerKind
from vaenb.windows import make_windows, window_starts

_NAMED: Final = 5


@dataclass(frozen=True, eq=False, kw_only=True)
class Prepared:
    """A series, scaled, cut into windows and split in time.

    The cells of the series' regular grid fall into three parts that follow each other: train, from 0 to
    `train_stop`; calibration, from there to `calibration_stop`; test, from there to the end. No window of
    `train`, `calibration` or `test` reaches over the end of its part. All windows are cut from one array.

    Attributes
    ----------
    series : Series
    scaler : Scaler
        Fitted on the cells before `train_stop`.
    window_size : int
        In points.
    train_stop, calibration_stop : int
        Cells: the first one after the train part, and after the calibration part.
    everything : Windows
        All windows of the series, those across the splits included: for scoring.
    train, calibration : Windows
        Without the windows in which nothing is known.
    test : Windows
        Empty where the test part is shorter than a window.
    notes : tuple of str
        What was chosen and left out, one sentence each.
    """

    series: Series
    scaler: Scaler
    window_size: int
    train_stop: int
    calibration_stop: int
    everything: Windows
    train: Windows
    calibration: Windows
    test: Windows
    notes: tuple[str, ...] = ()

    @property
    def about(self) -> str:
        """What was prepared, to be read by a person."""
        parts = {"train": self.train, "calibration": self.calibration, "test": self.test}
        counts = ", ".join(f"{len(windows):,} {name}" for name, windows in parts.items())
        return "\n".join([f"{counts} windows", *(f"- {note}" for note in self.notes)])


def prepare(
    series: Series,
    *,
    window_size: int | Literal["auto"] = "auto",
    stride: int = 1,
    calibration: float = 0.2,
    scaler: ScalerKind | Scaler = "robust",
) -> Prepared:
    """Scale a series and cut it into windows for training, calibration and test.

    Parameters
    ----------
    series : Series
        From `read_series` or `load_dataset`.
    window_size : int or "auto"
        Points in a window. "auto" takes the dominant period of the train part, between 16 and 128 points.
    stride : int
        Points from the start of one window to the start of the next.
    calibration : float
        The share of the training part, taken from its end, that is held out to set the threshold.
    scaler : {"robust", "standard", "minmax"} or Scaler
        How to scale; a `Scaler` is fitted anew on the train part.

    Returns
    -------
    Prepared

    Raises
    ------
    InputError
        If a part is shorter than one window, or has no value at all.

    Examples
    --------
    >>> import vaenb
    >>> prepared = prepare(vaenb.load_dataset("nyc_taxi"))
    >>> prepared.window_size, prepared.train.shape
    (48, (4081, 48, 1))
    """
    if not 0 < calibration < 1:
        raise InputError(f"calibration is {calibration}; expected a share of the training part such as 0.2.")
    train_stop, calibration_stop = split_cells(series, calibration)
    grid = series.grid
    notes: list[str] = []
    if window_size == "auto":
        window_size, why = choose_window_size(grid[:train_stop], calibration_stop - train_stop)
        notes.append(why)
    _check_lengths(series, window_size, train_stop, calibration_stop)
    fitted = (Scaler(scaler.kind, limit=scaler.limit) if isinstance(scaler, Scaler) else Scaler(scaler)).fit(
        grid[:train_stop]
    )
    notes += _constant_note(series, fitted)
    everything = make_windows(fitted.transform(grid), window_size, stride=stride)
    train = _known(_part(everything, 0, train_stop), "train", notes)
    held_out = _known(_part(everything, train_stop, calibration_stop), "calibration", notes)
    return Prepared(
        series=series,
        scaler=fitted,
        window_size=window_size,
        train_stop=train_stop,
        calibration_stop=calibration_stop,
        everything=everything,
        train=train,
        calibration=held_out,
        test=_part(everything, calibration_stop, series.n_cells),
        notes=tuple(notes),
    )


def cut_windows(series: Series, scaler: Scaler, *, window_size: int, stride: int = 1) -> Windows:
    """Cut all windows of a series with a scaler that is fitted already.

    Parameters
    ----------
    series : Series
        With the channels that `scaler` was fitted on, in the same order.
    scaler : Scaler
    window_size : int
    stride : int

    Returns
    -------
    Windows
        Over the series' cells; `series.to_rows` brings what is found on them back onto the rows.

    Raises
    ------
    InputError
        If the series is shorter than one window, or has another number of channels.
    """
    return make_windows(scaler.transform(series.grid), window_size, stride=stride)


def split_cells(series: Series, calibration: float) -> tuple[int, int]:
    """The cells where the calibration part and the test part begin.

    Shares are counted in rows, so that a long gap does not make up a whole part. A cell that holds rows
    of two parts belongs to the later one.
    """
    n_held_out = max(round(calibration * series.train_end), 1)
    return int(np.sort(series.cells, kind="stable")[series.train_end - n_held_out]), series.train_cells


def _check_lengths(series: Series, window_size: int, train_stop: int, calibration_stop: int) -> None:
    if window_size < 1:
        raise InputError(f"window_size is {window_size}; expected a whole number of points, or 'auto'.")
    if series.n_cells < 2 * window_size:
        raise InputError(
            f"The series has {series.n_cells:,} points, fewer than two windows of {window_size}: "
            "give a longer series or a smaller window_size."
        )
    for name, length in (("train", train_stop), ("calibration", calibration_stop - train_stop)):
        if length < window_size:
            raise InputError(
                f"The {name} part has {length:,} points, fewer than one window of {window_size}: "
                "give a smaller window_size, or a later train_end."
            )


def _part(windows: Windows, start: int, stop: int) -> Windows:
    """The windows of one part of the cells; its last one ends where the part ends."""
    if stop - start < windows.window_size:
        return windows[:0]
    if windows.stride == 1:
        return windows[start : stop - windows.window_size + 1]
    starts = start + window_starts(stop - start, windows.window_size, stride=windows.stride)
    return Windows(
        values=windows.values,
        missing=windows.missing,
        starts=starts,
        window_size=windows.window_size,
        stride=windows.stride,
    )


def _known(windows: Windows, name: str, notes: list[str]) -> Windows:
    """The windows in which at least one value is known."""
    if windows.missing is None:
        return windows
    known = np.concatenate([[0], np.cumsum(~windows.missing.all(axis=1))])
    kept = known[windows.starts + windows.window_size] > known[windows.starts]
    if not kept.any():
        raise InputError(
            f"All values of the {name} part are missing: move train_end, "
            "or give a series that has values there."
        )
    if kept.all():
        return windows
    notes.append(f"{np.sum(~kept):,} {name} windows are left out: nothing in them is known")
    return windows[kept]


def _constant_note(series: Series, scaler: Scaler) -> list[str]:
    """One sentence on the channels that the scaler found constant."""
    names = [channel for channel, constant in zip(series.channels, scaler.constant_, strict=True) if constant]
    if not names:
        return []
    listed = ", ".join(names[:_NAMED]) + (f" and {len(names) - _NAMED} more" if len(names) > _NAMED else "")
    return [f"constant in the train part, so kept at their own scale: {listed}"]
