"""The sampled windows at an epoch: their cloud in a plane of the latent space, and their errors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from vaenb.drawing.axes import Tick, limits
from vaenb.drawing.svg import RAMP_SIZE
from vaenb.view_models.training import log_errors

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vaenb.evidence import EpochFrame
    from vaenb.records import Floats, Ints
    from vaenb.view_models.training import TrainingView

N_BINS = 28
_FRAMES_FOR_LIMITS = 32


@dataclass(frozen=True, eq=False, kw_only=True)
class Plane:
    """The plane of the latent space that is drawn: ``(z - origin) @ axes``.

    Attributes
    ----------
    origin : ndarray of float64, shape (latent_dim,)
    axes : ndarray of float64, shape (latent_dim, 2)
    names : pair of str
    """

    origin: Floats
    axes: Floats
    names: tuple[str, str]

    def __call__(self, latent: Any) -> Floats:
        """Where latent points (..., latent_dim) lie in the plane, (..., 2)."""
        return np.asarray((np.asarray(latent, np.float64) - self.origin) @ self.axes)


def plane_of(latent: Any, before: Plane | None = None) -> Plane:
    """The plane of two dimensions as they are, or the one in which more of them vary most.

    Parameters
    ----------
    latent : array_like, shape (n, latent_dim)
    before : Plane, optional
        The plane of the epoch before: axes are not turned upside down from one to the next.
    """
    points = np.asarray(latent, np.float64)
    dims = points.shape[1]
    if dims <= 2:
        names = ("latent dimension 1", "latent dimension 2" if dims == 2 else "")
        return Plane(origin=np.zeros(dims), axes=np.eye(dims, 2), names=names)
    known = points[np.isfinite(points).all(axis=1)]
    known = known if len(known) else np.zeros((1, dims))
    centred = known - known.mean(axis=0)
    variances, directions = np.linalg.eigh(centred.T @ centred)
    axes = directions[:, :-3:-1]
    if before is not None:
        axes = axes * np.where((axes * before.axes).sum(axis=0) < 0, -1.0, 1.0)
    shares = variances[::-1] / max(float(variances.sum()), np.finfo(float).tiny)
    first, second = (
        f"principal axis {place + 1} ({shares[place]:.0%})".replace("%", "\u202f%") for place in range(2)
    )
    return Plane(origin=known.mean(axis=0), axes=axes, names=(first, second))


def cloud_limits(
    frames: Sequence[EpochFrame], plane: Plane
) -> tuple[tuple[float, float], tuple[float, float]]:
    """What the axes of the cloud show: room for the points of all epochs, judged by 32 of them at most."""
    chosen = np.unique(np.linspace(0, len(frames) - 1, _FRAMES_FOR_LIMITS).astype(int))
    places = np.concatenate([plane(frames[place].latent) for place in chosen])
    return limits(places[:, 0], pad=0.06), limits(places[:, 1], pad=0.06)


@dataclass(frozen=True, eq=False, kw_only=True)
class Errors:
    """The errors of the sampled windows as a histogram of their decimal logarithms.

    Attributes
    ----------
    edges : ndarray of float64, shape (n_bins + 1,)
        Decimal logarithms of mean squared errors; the same at every epoch.
    counts, before : ndarray of int64, shape (n_bins,)
        At the epoch that is looked at, and at the first one that was kept.
    shades : ndarray of int64, shape (n_bins,)
        Each bar's place in the ramp of colours.
    of_windows : ndarray of int64, shape (n,)
        Each window's place in the ramp.
    """

    edges: Floats
    counts: Ints
    before: Ints
    shades: Ints
    of_windows: Ints


def errors(view: TrainingView) -> Errors | None:
    """The histogram at the epoch that is looked at; None before there is a frame."""
    frame = view.frame
    if frame is None:
        return None
    low, high = view.log_errors
    edges = np.linspace(low, high, N_BINS + 1)
    now = np.clip(log_errors(frame.errors), low, high)
    middles = (edges[1:] + edges[:-1]) / 2
    return Errors(
        edges=edges,
        counts=np.histogram(now, edges)[0].astype(np.int64),
        before=np.histogram(np.clip(log_errors(view.frames[0].errors), low, high), edges)[0].astype(np.int64),
        shades=_shades(middles, low, high),
        of_windows=_shades(now, low, high),
    )


def _shades(values: Floats, low: float, high: float) -> Ints:
    places = np.nan_to_num((values - low) / (high - low))
    return (np.clip(places, 0, 1) * (RAMP_SIZE - 1)).round().astype(np.int64)


def power_ticks(low: float, high: float) -> list[Tick]:
    """Ticks on an axis of decimal logarithms, at 1, 2 and 5 times powers of ten where there is room."""
    digits = (1,) if high - low > 2 else (1, 2, 5)
    powers = range(int(np.floor(low)), int(np.ceil(high)) + 1)
    values = [digit * 10.0**power for power in powers for digit in digits]
    return [Tick(float(np.log10(v)), f"{v:.3g}") for v in values if low <= np.log10(v) <= high]
