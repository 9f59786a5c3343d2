"""The latent space of a study seen in a plane, and a walk through it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Final

import numpy as np

from vaenb.errors import InputError
from vaenb.view_models.latent_plane import (
    Plane,
    dimension_plane,
    grid_plane,
    lies_in,
    on_grid,
    principal_plane,
)
from vaenb.view_models.timeline import Timeline

if TYPE_CHECKING:
    from vaenb.evidence import Decode, Evidence
    from vaenb.records import Floats, Floats32, Ints

    PlaneChoice = str | tuple[int, int]
    Edges = tuple[tuple[float, float], tuple[float, float]]

PCA: Final = "pca"
GRID: Final = "grid"
_AIR: Final = 0.07  # around the cloud, as a share of its width


@dataclass(frozen=True, eq=False, kw_only=True)
class Drawing:
    """What the decoder draws at a point of the latent space.

    Attributes
    ----------
    mean, spread : ndarray of float32, shape (window_size, n_channels)
        In the series' units.
    inside : bool
        False where the point lies beyond the stored grid, so that its edge is shown.
    """

    mean: Floats32
    spread: Floats32
    inside: bool


class LatentSpace:
    """Windows of a study as points of the latent space, the plane they are seen in, and a cross in it.

    Parameters
    ----------
    evidence : Evidence
    decode : callable, optional
        Latent points (n, latent_dim) to means and spreads (n, window_size, n_channels), in the series'
        units. Without it the stored grid of the evidence draws, in its own plane.

    Attributes
    ----------
    timeline : Timeline
    plane : Plane
    places : ndarray of float64, shape (n_windows, 2)
        The windows in the plane. With one latent dimension, their scores stand upwards.
    edges : tuple
        (low, high) across and (low, high) up: the cloud with some air around it.
    walks : bool
        Whether there is something that draws in this plane.
    walk_at : tuple of float
        The cross, in the plane.
    """

    def __init__(self, evidence: Evidence, *, decode: Decode | None = None) -> None:
        self.evidence, self.decode = evidence, decode
        self.sample = evidence.sample
        if not len(self.sample):
            raise InputError("The evidence holds no sampled windows, so there is no cloud to show.")
        self.timeline = Timeline.of(evidence.series)
        self._set_plane(self.plane_choices[0])
        x, y = np.median(self.plane.places(self.latent), axis=0).tolist()
        self.walk_at: tuple[float, float] = (x, y)

    @property
    def starts(self) -> Ints:
        """The cells where the windows start."""
        return self.sample.starts

    @property
    def window_size(self) -> int:
        """In points."""
        return self.sample.window_size

    @property
    def n_windows(self) -> int:
        """How many windows were sampled."""
        return len(self.sample)

    @property
    def n_dims(self) -> int:
        """The dimensions of the latent space."""
        return int(self.sample.latent.shape[1])

    @cached_property
    def latent(self) -> Floats:
        """Posterior means, shape (n_windows, latent_dim)."""
        return np.nan_to_num(self.sample.latent.astype(np.float64))

    @cached_property
    def values(self) -> Floats:
        """The series on its cells, shape (n_cells, n_channels)."""
        return self.evidence.series.grid

    # ------------------------------------------------------------------ the plane

    @cached_property
    def plane_choices(self) -> tuple[PlaneChoice, ...]:
        """The planes on offer, the one to begin with first: where one can walk, if anywhere."""
        if self.n_dims == 1:
            return ((0, 0),)
        pairs: list[PlaneChoice] = [(i, j) for i in range(self.n_dims) for j in range(self.n_dims) if i != j]
        plain: list[PlaneChoice] = [PCA, *pairs] if self.n_dims > 2 else [*pairs, PCA]
        if self.evidence.walk is None or self._lies_in_grid(self._make_plane(plain[0])):
            return tuple(plain)
        return (GRID, *plain) if self.decode is None else (*plain, GRID)

    @property
    def plane_choice(self) -> PlaneChoice:
        """The name of the plane: "pca", "grid", or a pair of dimensions counted from 0."""
        return self._plane_choice

    def set_plane(self, choice: object) -> None:
        """Look at the cloud in another plane; the cross stays at its point of the latent space, or near it.

        Raises
        ------
        InputError
            If there is no such plane.
        """
        wanted = tuple(choice) if isinstance(choice, list) else choice
        if wanted not in self.plane_choices:
            several = '"pca", or a pair of two different dimensions'
            expected = several if self.n_dims > 1 else "(0, 0): there is one latent dimension"
            grid = ', or "grid", the plane of the stored drawings' if GRID in self.plane_choices else ""
            raise InputError(
                f"plane is {choice!r}; expected {expected}, counted from 0 to {self.n_dims - 1}{grid}."
            )
        point = self.plane.point(*self.walk_at)
        self._set_plane(wanted)
        x, y = self.plane.places(point[None])[0].tolist()
        self.walk_at = (x, y)

    def _set_plane(self, choice: PlaneChoice) -> None:
        self._plane_choice, self.plane = choice, self._make_plane(choice)
        self.places = self.plane.places(self.latent)
        if self.n_dims == 1:
            self.places[:, 1] = np.nan_to_num(self.sample.scores)
        low, high = self.places.min(axis=0), self.places.max(axis=0)
        air = np.where(high > low, (high - low) * _AIR, 1.0)
        self.edges = (
            (float(low[0] - air[0]), float(high[0] + air[0])),
            (
                float(low[1] - air[1]),
                float(high[1] + air[1]),
            ),
        )
        self.walks = self.decode is not None or self._lies_in_grid(self.plane)

    def _lies_in_grid(self, plane: Plane) -> bool:
        return self.evidence.walk is not None and lies_in(plane, self.evidence.walk, self.latent)

    def _make_plane(self, choice: PlaneChoice) -> Plane:
        kl = self.sample.kl_per_dim
        if isinstance(choice, tuple):
            return dimension_plane(self.latent, kl, *choice)
        principal = principal_plane(self.latent)
        if choice == PCA or self.evidence.walk is None:
            return principal
        pairs = [dimension_plane(self.latent, kl, at, (at + 1) % self.n_dims) for at in range(self.n_dims)]
        return grid_plane(self.evidence.walk, [*pairs, principal])

    # ------------------------------------------------------------------ the walk

    def walk_to(self, x: float, y: float) -> None:
        """Move the cross; an `InputError` where a coordinate is no finite number."""
        place = float(x), float(y)
        if not np.isfinite(place).all():
            raise InputError(f"walk_at is ({x!r}, {y!r}); expected two finite numbers.")
        self.walk_at = place

    @property
    def walk_point(self) -> Floats:
        """The cross as a point of the latent space, shape (latent_dim,)."""
        return self.plane.point(*self.walk_at)

    def drawing(self) -> Drawing | None:
        """What the decoder draws at the cross; None where nothing can draw in this plane."""
        if self.decode is not None:
            mean, spread = self.decode(self.walk_point[None])
            return Drawing(mean=np.asarray(mean)[0], spread=np.asarray(spread)[0], inside=True)
        if not self.walks or self.evidence.walk is None:
            return None
        mean, spread, inside = on_grid(self.evidence.walk, self.walk_point)
        return Drawing(mean=mean, spread=spread, inside=inside)

    def nearest(self, point: Floats, among: Ints, *, most: int, apart_from: tuple[int, ...] = ()) -> Ints:
        """The windows nearest to a point of the latent space, nearest first.

        None of them overlaps another of them, or one of `apart_from`: neighbours in time are no news.

        Parameters
        ----------
        point : ndarray, shape (latent_dim,)
        among : ndarray of int64
            The windows to choose from.
        most : int
        apart_from : tuple of int
            Windows.
        """
        away = ((self.latent[among] - point) ** 2).sum(axis=1)
        found: list[int] = []
        taken = [int(self.starts[window]) for window in apart_from]
        for window in among[np.argsort(away, kind="stable")].tolist():
            start = int(self.starts[window])
            if all(abs(start - other) >= self.window_size for other in taken):
                found.append(window)
                taken.append(start)
            if len(found) == most:
                break
        return np.array(found, dtype=np.int64)
