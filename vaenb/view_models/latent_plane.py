"""Planes through the latent space, and what a decoder, or a stored grid of its pictures, draws there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from vaenb.errors import InputError
from vaenb.formats import number, percent

if TYPE_CHECKING:
    from vaenb.evidence import WalkGrid
    from vaenb.records import Floats, Floats32

DEAD: Final = 0.01  # nats: a dimension below says next to nothing about the window
_SAME: Final = 0.02  # how far a plane may lie off another, in lengths of the axes, and count as the same


@dataclass(frozen=True, eq=False, kw_only=True)
class Plane:
    """The points ``origin + x * across + y * up`` of the latent space.

    Attributes
    ----------
    origin, across, up : ndarray of float64, shape (latent_dim,)
        `across` and `up` are orthogonal unit vectors; `up` is zero where there is one dimension only.
    names : tuple of str
        Of the two axes.
    """

    origin: Floats
    across: Floats
    up: Floats
    names: tuple[str, str]

    def places(self, latent: Any) -> Floats:
        """Where latent points, shape (n, latent_dim), stand in the plane, shape (n, 2)."""
        away = np.asarray(latent, dtype=np.float64) - self.origin
        return np.asarray(away @ np.stack([self.across, self.up], axis=1))

    def point(self, x: float, y: float) -> Floats:
        """The latent point at a place of the plane, shape (latent_dim,)."""
        return np.asarray(self.origin + x * self.across + y * self.up)


def dimension_names(kl_per_dim: Floats) -> list[str]:
    r"""What the dimensions are called, counted from 1, with what each says about a window.

    Examples
    --------
    >>> dimension_names(np.array([1.7, 0.002]))
    ['z1, 1.7 nats', 'z2, dead (0.002 nats)']
    """
    told = (
        f"{number(kl, 2)} nats" if kl >= DEAD else f"dead ({number(kl, 1)} nats)"
        for kl in kl_per_dim.tolist()
    )
    return [f"z{place}, {words}" for place, words in enumerate(told, 1)]


def principal_plane(latent: Any) -> Plane:
    """The plane of the two directions in which latent points spread most.

    An axis points to where its largest part is positive, so that it does not flip from run to run.

    Parameters
    ----------
    latent : array_like, shape (n, latent_dim)
        At least two dimensions.
    """
    points = np.asarray(latent, dtype=np.float64)
    centre = points.mean(axis=0)
    variances, directions = np.linalg.eigh((points - centre).T @ (points - centre))
    axes = directions[:, ::-1].T
    axes = axes * np.sign(axes[np.arange(len(axes)), np.abs(axes).argmax(axis=1)])[:, None]
    shares = np.maximum(variances[::-1], 0) / max(float(variances.sum()), np.finfo(float).tiny)
    first, second = (f"principal axis {at + 1} ({percent(shares[at])} of the spread)" for at in (0, 1))
    return Plane(origin=centre, across=axes[0], up=axes[1], names=(first, second))


def dimension_plane(latent: Any, kl_per_dim: Floats, across: int, up: int) -> Plane:
    """The plane of two dimensions; the others stay at their mean.

    Parameters
    ----------
    latent : array_like, shape (n, latent_dim)
    kl_per_dim : ndarray, shape (latent_dim,)
    across, up : int
        Counted from 0; both 0 where there is one dimension only.
    """
    points = np.asarray(latent, dtype=np.float64)
    n_dims = points.shape[1]
    names, axes = dimension_names(kl_per_dim), np.eye(n_dims)
    origin = points.mean(axis=0)
    origin[[across, up]] = 0.0
    if n_dims == 1:
        return Plane(origin=origin, across=axes[0], up=np.zeros(1), names=(names[0], "anomaly score"))
    return Plane(origin=origin, across=axes[across], up=axes[up], names=(names[across], names[up]))


def grid_plane(grid: WalkGrid, others: list[Plane]) -> Plane:
    """The plane of a stored grid; its axes are called as those that they run along in `others`."""
    axes = [np.asarray(axis, dtype=np.float64) for axis in (grid.across, grid.up)]
    known = [(axis, name) for other in others for axis, name in zip(_axes(other), other.names, strict=True)]
    names = []
    for place, axis in enumerate(axes, 1):
        along = (name for other, name in known if abs(float(axis @ other)) > 1 - _SAME**2)
        names.append(next(along, f"axis {place} of the stored drawings"))
    origin = np.asarray(grid.origin, dtype=np.float64)
    return Plane(origin=origin, across=axes[0], up=axes[1], names=(names[0], names[1]))


def _axes(plane: Plane) -> tuple[Floats, Floats]:
    return plane.across, plane.up


def lies_in(plane: Plane, grid: WalkGrid, latent: Any) -> bool:
    """Whether a plane is the plane of a stored grid, within a small part of how far `latent` spreads."""
    basis = np.stack([grid.across, grid.up])
    width = float(np.asarray(latent, dtype=np.float64).std(axis=0).max()) or 1.0
    away = [plane.across, plane.up, (plane.origin - grid.origin) / width]
    off = [vector - basis.T @ (basis @ vector) for vector in away]
    return all(float(np.linalg.norm(vector)) < _SAME for vector in off)


def on_grid(grid: WalkGrid, point: Floats) -> tuple[Floats32, Floats32, bool]:
    """What a stored grid draws at a latent point: bilinear between the four drawings around it.

    Parameters
    ----------
    grid : WalkGrid
    point : ndarray, shape (latent_dim,)

    Returns
    -------
    mean, spread : ndarray of float32, shape (window_size, n_channels)
        In the series' units.
    inside : bool
        False where the point lies beyond the grid: then it is the drawing at its edge.

    Raises
    ------
    InputError
        If the grid is empty.
    """
    if not len(grid.a) or not len(grid.b):
        raise InputError("The stored grid holds no drawings: save the study again, from a fitted detector.")
    away = np.asarray(point, dtype=np.float64) - grid.origin
    place = float(away @ grid.across), float(away @ grid.up)
    (i, s, inside_a), (j, t, inside_b) = _between(grid.a, place[0]), _between(grid.b, place[1])
    i1, j1 = min(i + 1, len(grid.a) - 1), min(j + 1, len(grid.b) - 1)
    corners = (((1 - s) * (1 - t), i, j), (s * (1 - t), i1, j), ((1 - s) * t, i, j1), (s * t, i1, j1))
    mean, spread = (
        sum(weight * drawn[a, b].astype(np.float64) for weight, a, b in corners)
        for drawn in (grid.mean, grid.spread)
    )
    return (
        np.asarray(mean, dtype=np.float32),
        np.asarray(spread, dtype=np.float32),
        inside_a and inside_b,
    )


def _between(ticks: Floats, at: float) -> tuple[int, float, bool]:
    """Which tick lies before a value, how far it is on the way to the next, and whether it lies between."""
    if len(ticks) == 1:
        return 0, 0.0, True
    held = float(np.clip(at, ticks[0], ticks[-1]))
    before = int(np.clip(np.searchsorted(ticks, held, side="right") - 1, 0, len(ticks) - 2))
    share = (held - ticks[before]) / (ticks[before + 1] - ticks[before])
    slack = 1e-9 * float(ticks[-1] - ticks[0])
    return before, float(share), bool(ticks[0] - slack <= at <= ticks[-1] + slack)
