"""What a fitted detector leaves behind to be looked at: numbers only. NumPy ring.

A panel needs no model: it gets these records, and callables where a model is at hand. So a saved study
opens where TensorFlow cannot be imported.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    from vaenb.records import Floats, Floats32, History, Ints, Series
    from vaenb.thresholds.base import Threshold

    Decode = Callable[[Floats], tuple[Floats32, Floats32]]
    """Latent points (n, latent_dim) to means and scales, (n, window_size, n_channels), in raw units."""


@dataclass(frozen=True, eq=False, kw_only=True)
class WindowSample:
    """Some windows of the series, with what the model makes of them; evenly spread over the series.

    Attributes
    ----------
    starts : ndarray of int64, shape (n,)
        Window i covers the cells ``starts[i]`` to ``starts[i] + window_size - 1``.
    window_size : int
    latent : ndarray of float32, shape (n, latent_dim)
        Posterior means.
    kl_per_dim : ndarray of float64, shape (latent_dim,)
        Mean over the windows, in nats: which dimensions say anything.
    scores : ndarray of float64, shape (n,)
        Of the whole window; higher = more anomalous.
    mean, spread : ndarray of float32, shape (n, window_size, n_channels)
        The reconstruction and one standard deviation of it, in the series' units.
    shares : ndarray of float32, shape (n, n_channels)
        Each channel's share of the window's score; every row sums to 1.
    """

    starts: Ints
    window_size: int
    latent: Floats32
    kl_per_dim: Floats
    scores: Floats
    mean: Floats32
    spread: Floats32
    shares: Floats32

    def __len__(self) -> int:
        return len(self.starts)


@dataclass(frozen=True, eq=False, kw_only=True)
class WalkGrid:
    """What the decoder draws on a grid in a plane of the latent space, for where there is no decoder.

    The plane is ``origin + a * across + b * up``.

    Attributes
    ----------
    origin, across, up : ndarray of float64, shape (latent_dim,)
        `across` and `up` are orthogonal unit vectors.
    a, b : ndarray of float64, shape (n_a,) and (n_b,)
    mean, spread : ndarray of float32, shape (n_a, n_b, window_size, n_channels)
        In the series' units.
    """

    origin: Floats
    across: Floats
    up: Floats
    a: Floats
    b: Floats
    mean: Floats32
    spread: Floats32


@dataclass(frozen=True, eq=False, kw_only=True)
class EpochFrame:
    """How the model saw a few windows at the end of an epoch; epoch 0 is before the training.

    Attributes
    ----------
    epoch : int
    mean, spread : ndarray of float32, shape (window_size, n_channels)
        The reconstruction of the pinned window and its standard deviation, in the series' units.
    latent : ndarray of float32, shape (n, latent_dim)
        Posterior means of the sampled windows.
    errors : ndarray of float32, shape (n,)
        Their reconstruction errors: mean squared error in scaled units.
    """

    epoch: int
    mean: Floats32
    spread: Floats32
    latent: Floats32
    errors: Floats32


@dataclass(frozen=True, eq=False, kw_only=True)
class Evidence:
    """All that the panels show of one study.

    Attributes
    ----------
    series : Series
    window_size : int
    train_stop, calibration_stop : int
        The cells where the calibration part and the test part begin.
    scores : ndarray of float64, shape (n_cells,)
        Anomaly scores on the cells; higher = more anomalous.
    method : str
    calibration_scores : ndarray of float64, shape (n_calibration,)
        Of windows that lie in the calibration part; the rule was fitted on them.
    rule : Threshold
        Fitted.
    reconstruction, spread : ndarray of float32, shape (n_cells, n_channels)
        What the windows that cover a cell expect there, on average, and one standard deviation, in the
        series' units.
    normal_by_channel : ndarray of float64, shape (n_channels,)
        The median score of each channel in the calibration part, for the blame.
    sample : WindowSample
    walk : WalkGrid or None
    history : History
    frames : tuple of EpochFrame
    pinned : int
        The cell where the pinned window of the frames starts.
    frame_starts : ndarray of int64, shape (n,)
        Where the sampled windows of the frames start.
    settings : mapping
        Of the detector that was fitted.
    """

    series: Series
    window_size: int
    train_stop: int
    calibration_stop: int
    scores: Floats
    method: str
    calibration_scores: Floats
    rule: Threshold
    reconstruction: Floats32
    spread: Floats32
    normal_by_channel: Floats
    sample: WindowSample
    walk: WalkGrid | None
    history: History
    frames: tuple[EpochFrame, ...]
    pinned: int
    frame_starts: Ints
    settings: Mapping[str, Any]

    @property
    def labels(self) -> NDArray[Any] | None:
        """The labels on the cells, 0/1, or None."""
        from vaenb.thresholds.rules import labels_on_cells

        return labels_on_cells(self.series)
