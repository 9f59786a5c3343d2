"""What the training panel draws, as numbers: the curves, the bars and the pinned window."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from vaenb.drawing.axes import Scale, Tick, limits, number_ticks, time_ticks
from vaenb.drawing.decimation import decimate
from vaenb.view_models.timeline import MOST_POINTS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vaenb.evidence import EpochFrame
    from vaenb.records import Bools, EpochRecord, Floats
    from vaenb.view_models.training import TrainingView

_ROOM = 0.3  # above and below the pinned window, as a share of its height


@dataclass(frozen=True, eq=False, kw_only=True)
class Curves:
    """One measure against the epochs.

    Attributes
    ----------
    epochs : ndarray of float64, shape (n,)
    train, calibration : ndarray of float64, shape (n,)
        NaN where it was not measured.
    low, high : float
        What the axis shows.
    ends : tuple of (str, float, float)
        "train" and "calibration", their last value, and where their label stands: apart from each other.
    """

    epochs: Floats
    train: Floats
    calibration: Floats
    low: float
    high: float
    ends: tuple[tuple[str, float, float], ...]


def epoch_axis(done: int, planned: int, n: int) -> tuple[int, list[Tick]]:
    """Where an axis of epochs ends, and about `n` whole epochs on it.

    It ends at what is planned; but where that is far away at a round number on the way, or the curve would
    be a dot.

    Examples
    --------
    >>> [epoch_axis(done, 10_000, 4)[0] for done in (1, 50, 51, 4_000, 9_999)]
    [50, 50, 100, 5000, 10000]
    """
    stages = (first * 10**power for power in range(1, 12) for first in (5, 10, 20))
    last = max(2, min(planned, next(stage for stage in stages if stage >= done)))
    ticks = number_ticks(Scale(1, last), n)
    return last, [Tick(tick.value, f"{tick.value:,.0f}") for tick in ticks if tick.value == int(tick.value)]


def curves(records: Sequence[EpochRecord], name: str, *, gap: float = 0.1) -> Curves:
    """The curves of "elbo", "reconstruction" or "kl" on train and calibration; 2,000 points at most.

    The first tenth of the epochs falls from a great height: it may leave the picture.

    Parameters
    ----------
    records : sequence of EpochRecord
    name : str
    gap : float
        How far apart labels stand, as a share of the axis.
    """
    epochs = np.array([record.epoch for record in records], dtype=np.float64)
    ours, held = (_measured(records, field) for field in (name, f"calibration_{name}"))
    late = len(records) // 10
    low, high = limits(ours[late:], held[late:], pad=0.08)
    if len(epochs) > MOST_POINTS:
        kept = np.union1d(decimate(ours, MOST_POINTS // 4), decimate(held, MOST_POINTS // 4))
        epochs, ours, held = epochs[kept], ours[kept], held[kept]
    return Curves(
        epochs=epochs,
        train=ours,
        calibration=held,
        low=low,
        high=high,
        ends=_ends({"train": ours, "calibration": held}, low, high, gap),
    )


def _measured(records: Sequence[EpochRecord], field: str) -> Floats:
    found = [getattr(record, field) for record in records]
    return np.array([np.nan if value is None else value for value in found], dtype=np.float64)


def _ends(
    named: dict[str, Floats], low: float, high: float, gap: float
) -> tuple[tuple[str, float, float], ...]:
    """The last value of each curve, and the place of its label, `gap` apart and inside the axis."""
    last = {name: values[np.isfinite(values)] for name, values in named.items()}
    ends = sorted(((float(values[-1]), name) for name, values in last.items() if len(values)), reverse=True)
    apart = (high - low) * gap
    places = [min(max(value, low), high) for value, _ in ends]
    if len(places) == 2 and places[0] - places[1] < apart:
        middle = min(max(sum(places) / 2, low + apart / 2), high - apart / 2)
        places = [middle + apart / 2, middle - apart / 2]
    return tuple((name, value, place) for (value, name), place in zip(ends, places, strict=True))


@dataclass(frozen=True, eq=False, kw_only=True)
class Bars:
    """The KL of each latent dimension in nats, which of them are active, and how high the axis goes."""

    kl: Floats
    active: Bools
    high: float


def kl_bars(view: TrainingView) -> Bars | None:
    """The bars of the epoch that is looked at (of the first one, for epoch 0); None before there are any.

    As many dimensions are active as the epoch's record says: those with the largest KL.
    """
    if not view.records:
        return None
    record = view.record or view.records[0]
    kl = np.asarray(record.kl_per_dim, dtype=np.float64)
    active = np.zeros(len(kl), dtype=bool)
    active[np.argsort(-kl, kind="stable")[: record.active_units]] = True
    known = [r.kl_per_dim for r in view.records[len(view.records) // 10 :]]
    high = max(limits(np.array(known), kl, pad=0.06)[1], 0.1)
    return Bars(kl=kl, active=active, high=high)


@dataclass(frozen=True, eq=False, kw_only=True)
class Pinned:
    """One channel of the pinned window and of its reconstruction, in the series' units.

    Attributes
    ----------
    points : ndarray of float64, shape (window_size,)
        0, 1, 2, ...
    actual, mean, low, high : ndarray of float64, shape (window_size,)
        `low` and `high` lie one standard deviation from `mean`; NaN where nothing is known.
    bottom, top : float
        What the axis shows: the same at every epoch, so that the picture does not jump.
    """

    points: Floats
    actual: Floats
    mean: Floats
    low: Floats
    high: Floats
    bottom: float
    top: float


def pinned(view: TrainingView) -> Pinned | None:
    """The pinned window at the epoch that is looked at; None where there is neither window nor frame."""
    frame = view.frame
    if frame is None and view.window is None:
        return None
    size = len(view.window) if view.window is not None else len(_of(frame).mean)
    nothing = np.full(size, np.nan)
    actual = nothing if view.window is None else view.window[:, view.channel]
    mean, spread = nothing, nothing
    if frame is not None:
        mean, spread = (np.asarray(part[:, view.channel], np.float64) for part in (frame.mean, frame.spread))
    bottom, top = limits(actual, pad=_ROOM)
    if not np.isfinite(actual).any():
        last = _of(view.frames[-1] if view.frames else frame)
        bottom, top = limits(last.mean[:, view.channel], pad=_ROOM)
    return Pinned(
        points=np.arange(size, dtype=np.float64),
        actual=actual,
        mean=mean,
        low=mean - spread,
        high=mean + spread,
        bottom=bottom,
        top=top,
    )


def _of(frame: EpochFrame | None) -> EpochFrame:
    if frame is None:  # `pinned` has seen to it
        raise TypeError("no frame")
    return frame


def window_ticks(view: TrainingView, n_points: int) -> tuple[list[Tick], str]:
    """Ticks for the points of the pinned window, and what to write under them."""
    index = view.index if view.index is not None else np.arange(n_points)
    last = max(1, n_points - 1)
    if np.issubdtype(index.dtype, np.datetime64):
        found = [tick for _, tick in time_ticks(index[0], index[-1], 4)]
        days = list(dict.fromkeys(tick.context for tick in found if tick.context))
        ends = days if len(days) < 2 else [days[0], days[-1]]
        return [Tick(tick.value * last, tick.label) for tick in found], " to ".join(ends)
    first, final = float(index[0]), float(index[-1])
    scale = Scale(first, final if final > first else first + 1)
    ticks = number_ticks(scale, 5)
    return [Tick(float(scale(tick.value)) * last, tick.label) for tick in ticks], "point"
