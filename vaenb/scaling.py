"""Bring channels to a common scale, learnt from the training part alone. NumPy only."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Literal, Self, get_args

import numpy as np

from vaenb.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import ArrayLike, NDArray

    from vaenb.records import Bools, Floats, Floats32

ScalerKind = Literal["robust", "standard", "minmax"]
_KINDS: Final = get_args(ScalerKind)

# Spread below this share of a channel's own size is rounding, not signal.
_ROUNDING: Final = 1e-12
_REACH: Final = 5.0
_CHUNK: Final = 1 << 16


class Scaler:
    """Shift and scale each channel, and compress what lies far out.

    With a centre ``c`` and a scale ``s`` for each channel, ``z = (x - c) / s``, and a value beyond
    ``limit`` is compressed to ``limit * (1 + log(|z| / limit))`` with the sign of ``z``: the order of the
    values is kept, the slope is continuous, and 1e30 scales lie at about 700, so that nothing a sensor
    says can overflow a float32 network.

    Parameters
    ----------
    kind : {"robust", "standard", "minmax"}
        "robust" takes the mean and the standard deviation after clipping the channel to its 1st and 99th
        percentiles, and to five times the span between its 10th and 90th percentiles beyond those two. The
        scale is at least a tenth of the median distance from the median among the values that differ from
        the median, which keeps channels that are nearly always at rest from exploding.
        "standard" takes the mean and the standard deviation. "minmax" maps the training part onto 0 to 1
        and clips the rest to it.
    limit : float
        Where compression begins, in scales. Not used by "minmax".

    Attributes
    ----------
    center_, scale_ : ndarray of float64, shape (n_channels,)
    constant_ : ndarray of bool, shape (n_channels,)
        Channels that had no spread, or no value at all, when the scaler was fitted; their scale is 1.

    Raises
    ------
    InputError
        If `kind` is unknown or `limit` is not positive.

    Warnings
    --------
    Fit it on the training part alone: a scaler that has seen the anomalies makes them look smaller.

    Examples
    --------
    >>> import numpy as np
    >>> scaler = Scaler("standard").fit(np.array([[1.0], [3.0]]))
    >>> scaler.transform(np.array([[1.0], [2.0], [5.0]]))[:, 0]
    array([-1.,  0.,  3.], dtype=float32)
    """

    center_: Floats
    scale_: Floats
    constant_: Bools

    def __init__(self, kind: ScalerKind = "robust", *, limit: float = 10.0) -> None:
        if kind not in _KINDS:
            raise InputError(f"The scaler is {kind!r}; expected one of {', '.join(_KINDS)}.")
        if not limit > 0:
            raise InputError(f"limit is {limit}; expected a number above 0, in scales: 10 is usual.")
        self.kind: ScalerKind = kind
        self.limit = float(limit)

    def fit(self, values: ArrayLike) -> Self:
        """Learn centre and scale.

        Parameters
        ----------
        values : array_like, shape (n_timestamps, n_channels)
            The training part; NaN is missing.

        Raises
        ------
        InputError
            If every value is missing.
        """
        table = _table(values)
        found = [_measure(channel[~np.isnan(channel)], self.kind) for channel in table.T]
        if all(size == 0 for _, _, size in found):
            raise InputError(
                f"All {table.size:,} values of the training part are missing: move train_end, "
                "or give a series that has values there."
            )
        center, scale, size = np.array(found).T
        self.constant_ = scale <= _ROUNDING * size
        self.center_, self.scale_ = center, np.where(self.constant_, 1.0, scale)
        return self

    def transform(self, values: ArrayLike) -> Floats32:
        """Scale values, shape (n_timestamps, n_channels), to float32; NaN stays NaN."""
        table = self._check(values)
        scaled = np.empty(table.shape, dtype=np.float32)
        for start in range(0, len(table), _CHUNK):  # no float64 copy of a long series
            scaled[start : start + _CHUNK] = self._scale(table[start : start + _CHUNK])
        return scaled

    def inverse_transform(self, values: ArrayLike) -> Floats:
        """Bring scaled values, shape (..., n_channels), back to the input's units."""
        z = np.array(values, dtype=np.float64)
        if self.kind != "minmax":
            far = np.abs(z) > self.limit
            grown = self.limit * np.exp(np.minimum(np.abs(z[far]) / self.limit - 1.0, 600.0))
            z[far] = np.copysign(grown, z[far])
        return np.asarray(z * self.scale_ + self.center_)

    def get_state(self) -> dict[str, NDArray[Any]]:
        """Everything the scaler has learnt, as plain arrays."""
        return {
            "kind": np.array(self.kind),
            "limit": np.array(self.limit),
            "center": self.center_,
            "scale": self.scale_,
            "constant": self.constant_,
        }

    @classmethod
    def from_state(cls, state: Mapping[str, NDArray[Any]]) -> Scaler:
        """Build the scaler that `get_state` described.

        Raises
        ------
        InputError
            If the arrays cannot belong to a scaler.
        """
        kind: Any = str(state["kind"])
        scaler = cls(kind, limit=float(state["limit"]))
        center, scale = (np.array(state[key], dtype=np.float64) for key in ("center", "scale"))
        constant = np.array(state["constant"], dtype=bool)
        if center.ndim != 1 or not center.shape == scale.shape == constant.shape:
            raise InputError("The saved scaler has arrays of different lengths: save the detector again.")
        if not (np.isfinite(center).all() and np.isfinite(scale).all() and (scale > 0).all()):
            raise InputError("The saved scaler has a scale that is not a positive number: save it again.")
        scaler.center_, scaler.scale_, scaler.constant_ = center, scale, constant
        return scaler

    def _check(self, values: ArrayLike) -> Floats:
        table = _table(values)
        if not hasattr(self, "center_"):
            raise InputError("The scaler has not been fitted: call fit with the training part first.")
        if table.shape[1] != len(self.center_):
            raise InputError(
                f"The values have {table.shape[1]} channels, the scaler was fitted on {len(self.center_)}: "
                "give the same channels in the same order."
            )
        return table

    def _scale(self, table: Floats) -> Floats:
        with np.errstate(over="ignore"):
            z = np.clip((table - self.center_) / self.scale_, -1e300, 1e300)
        if self.kind == "minmax":
            return np.clip(z, 0.0, 1.0)
        far = np.abs(z) > self.limit
        z[far] = np.copysign(self.limit * (1.0 + np.log(np.abs(z[far]) / self.limit)), z[far])
        return z


def _table(values: ArrayLike) -> Floats:
    table = np.asarray(values, dtype=np.float64)
    if table.ndim != 2:
        raise InputError(f"values has shape {table.shape}; expected (n_timestamps, n_channels).")
    return table


def _measure(channel: Floats, kind: ScalerKind) -> tuple[float, float, float]:
    """Centre, scale, and size (the largest magnitude) of one channel without missing values."""
    if not len(channel):
        return 0.0, 0.0, 0.0
    size = float(np.abs(channel).max())
    if kind == "minmax":
        return float(channel.min()), float(np.ptp(channel)), size
    if kind == "standard":
        return float(channel.mean()), float(channel.std()), size
    clipped = _without_tails(channel)
    return float(clipped.mean()), max(float(clipped.std()), _rest_scale(channel)), size


def _without_tails(channel: Floats) -> Floats:
    """The channel clipped to where all but a few of its values lie."""
    low, below, above, high = np.percentile(channel, [1, 10, 90, 99])
    reach = _REACH * (above - below)
    if reach > 0:  # else more than four values in five are the same, and their span says nothing
        low, high = max(low, below - reach), min(high, above + reach)
    return np.clip(channel, low, high)


def _rest_scale(channel: Floats) -> float:
    """A tenth of the median distance from the median, among the values that are not the median."""
    distance = np.abs(channel - np.median(channel))
    moved = distance[distance > 0]
    return 0.1 * float(np.median(moved)) if len(moved) else 0.0
