"""A fitted detector to `Evidence`: how it sees a series, as numbers that need no model any more.

Memory does not grow with the length of the series, but for what is given back.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from vaenb.checks import check_whole
from vaenb.errors import InputError
from vaenb.evidence import Evidence, WalkGrid, WindowSample
from vaenb.inputs import read_alike, read_to_fit
from vaenb.judging.blame import evenly
from vaenb.preparing import cut_windows, split_cells
from vaenb.reconstructing import draw, mean_kl, reconstruct
from vaenb.view_models.latent import touched
from vaenb.view_models.latent_plane import dimension_plane, principal_plane
from vaenb.watching import to_units

if TYPE_CHECKING:
    from vaenb.detector import VAEDetector
    from vaenb.evidence import Decode
    from vaenb.records import Floats, Floats32, Ints, Scores, Windows
    from vaenb.view_models.latent_plane import Plane

MOST_NUMBERS = 4_000_000  # in the drawings of the sampled windows; those of the walk take a quarter of it
_ROWS = 1 << 16  # cells that are brought to units at once
_AIR = 0.07  # around the cloud of the walk, as a share of its width


def explain(
    detector: VAEDetector,
    series: Any,
    *,
    scores: Scores | None = None,
    n_sample: int = 2_000,
    most_numbers: int = MOST_NUMBERS,
    grid: int = 21,
) -> Evidence:
    """What the panels show of a fitted detector and a series.

    Parameters
    ----------
    detector : VAEDetector
        Fitted.
    series : Series, DataFrame or array_like
        What it was fitted on, or another one with the same channels.
    scores : Scores, optional
        What `detector.score_series(series)` gives, where it is known already: on the cells.
    n_sample : int
        At most so many windows are kept with their reconstruction: half of them or more evenly spread over
        the series, the others among those that hold a flagged point.
    most_numbers : int
        At most so many numbers in their reconstructions: where windows are large, fewer are kept.
    grid : int
        Drawings along each side of the grid in the latent space; fewer where windows are large.

    Returns
    -------
    Evidence
        Without frames of the training, which nobody can draw afterwards.

    Raises
    ------
    InputError
        If the detector is not fitted or the series has other channels.

    Examples
    --------
    >>> import vaenb
    >>> series = vaenb.load_dataset("nyc_taxi")
    >>> detector = vaenb.VAEDetector(epochs=1, steps_per_epoch=20).fit(series)
    >>> evidence = explain(detector, series)
    >>> evidence.reconstruction.shape == series.grid.shape
    True
    """
    if not hasattr(detector, "threshold_"):
        raise InputError("The detector is not fitted: call fit(series) first, or vaenb.load(file).")
    known = read_alike(read_to_fit(series), detector.channels_)
    windows = cut_windows(known, detector.scaler_, window_size=detector.window_size_)
    found = detector.score_series(known) if scores is None else scores
    chosen = _choose(windows, found, detector.threshold_, most=_room(windows, n_sample, most_numbers))
    sample = _sample(detector, windows[chosen], found.window_values[chosen])
    reconstruction, spread = _on_cells(detector, windows)
    train_stop, calibration_stop = split_cells(known, detector.calibration)
    return Evidence(
        series=known,
        window_size=windows.window_size,
        train_stop=train_stop,
        calibration_stop=calibration_stop,
        scores=found.values,
        method=detector.method,
        calibration_scores=detector.calibration_scores_,
        rule=detector.rule_,
        reconstruction=reconstruction,
        spread=spread,
        normal_by_channel=detector.normal_by_channel_,
        sample=sample,
        walk=_walk(detector, sample, grid, most_numbers // 4),
        history=detector.history_,
        frames=(),
        pinned=int(sample.starts[0]),
        frame_starts=np.empty(0, dtype=np.int64),
        settings=detector.get_params(deep=False),
    )


def decoder_of(detector: VAEDetector) -> Decode:
    """The decoder of a fitted detector, from points of the latent space to the units of its series.

    Parameters
    ----------
    detector : VAEDetector

    Returns
    -------
    callable
        Latent points (n, latent_dim) to means and standard deviations, (n, window_size, n_channels).

    Examples
    --------
    >>> import numpy as np, vaenb
    >>> wave = np.sin(np.arange(400) / 4)
    >>> detector = vaenb.VAEDetector(window_size=16, epochs=1, steps_per_epoch=5).fit(wave)
    >>> mean, spread = decoder_of(detector)(np.zeros((3, 8)))
    >>> mean.shape
    (3, 16, 1)
    """
    vae = detector.model_

    def decode(z: Floats) -> tuple[Floats32, Floats32]:
        points = np.asarray(z, dtype=np.float32).reshape(-1, vae.latent_dim)
        return to_units(detector.scaler_, *draw(vae, points))

    return decode


# ---------------------------------------------------------------------- each cell


def _on_cells(detector: VAEDetector, windows: Windows) -> tuple[Floats32, Floats32]:
    """Means over the windows that cover a cell, (n_cells, n_channels): averaged scaled, then in units."""
    size, n_cells = windows.window_size, windows.n_timestamps
    total = np.zeros((2, n_cells, windows.n_channels), dtype=np.float32)
    for part, _, *drawn in reconstruct(detector.model_, windows):
        for offset in range(size):
            cells = slice(part.start + offset, part.stop + offset)  # the windows lie one cell apart
            for sums, each in zip(total, drawn, strict=True):
                sums[cells] += each[:, offset]
    cells_before = np.arange(n_cells)
    count = np.minimum(cells_before, n_cells - size) - np.maximum(cells_before - size + 1, 0) + 1
    total /= count.astype(np.float32)[:, None]
    for at in range(0, n_cells, _ROWS):
        rows = slice(at, at + _ROWS)
        total[0, rows], total[1, rows] = to_units(detector.scaler_, total[0, rows], total[1, rows])
    return total[0], total[1]


# ---------------------------------------------------------------------- some windows


def _room(windows: Windows, n_sample: int, most_numbers: int) -> int:
    """How many windows can be kept with a mean and a spread for each point."""
    numbers = check_whole("most_numbers", most_numbers)
    return max(
        1, min(check_whole("n_sample", n_sample), numbers // (2 * windows.window_size * windows.n_channels))
    )


def _choose(windows: Windows, scores: Scores, threshold: float, *, most: int) -> Ints:
    """Places of windows: some that hold a flagged cell, the others evenly spread; none without a value."""
    known = np.flatnonzero(np.isfinite(scores.window_values))
    flagged = touched(scores.values > threshold, windows.starts[known], windows.window_size)
    marked = known[flagged]
    top = known[np.argmax(scores.window_values[known])][None]
    some = np.concatenate([top, marked[evenly(len(marked), most // 2)]])[: max(1, most // 2)]
    return np.unique(np.concatenate([some, known[evenly(len(known), max(0, most - len(some)))]]))


def _sample(detector: VAEDetector, windows: Windows, scores: Floats) -> WindowSample:
    vae, shape = detector.model_, windows.shape
    latent = np.empty((len(windows), vae.latent_dim), dtype=np.float32)
    mean, spread = np.empty(shape, dtype=np.float32), np.empty(shape, dtype=np.float32)
    for part, places, *drawn in reconstruct(vae, windows):
        latent[part] = places
        mean[part], spread[part] = to_units(detector.scaler_, *drawn)
    return WindowSample(
        starts=windows.starts,
        window_size=windows.window_size,
        latent=latent,
        kl_per_dim=mean_kl(vae, windows),
        scores=np.asarray(scores, dtype=np.float64),
        mean=mean,
        spread=spread,
        shares=_shares(detector, windows),
    )


def _shares(detector: VAEDetector, windows: Windows) -> Floats32:
    """What each channel adds to a window's score beyond what it adds to a normal one, as shares."""
    by_channel = detector.score_channels(windows)
    beyond = np.maximum(np.nan_to_num(by_channel) - detector.normal_by_channel_, 0.0)
    total = beyond.sum(axis=1, keepdims=True)
    equal = np.full_like(beyond, 1 / windows.n_channels)
    return np.asarray(np.divide(beyond, total, out=equal, where=total > 0), dtype=np.float32)


# ---------------------------------------------------------------------- the walk


def _walk(detector: VAEDetector, sample: WindowSample, grid: int, most_numbers: int) -> WalkGrid:
    """Drawings on a grid in the plane in which the cloud is shown first."""
    size, channels = sample.mean.shape[1:]
    side = min(check_whole("grid", grid), max(3, int((most_numbers / (2 * size * channels)) ** 0.5)))
    plane = _plane(sample)
    a, b = _ticks(plane, sample.latent, side)
    places = np.stack(np.meshgrid(a, b, indexing="ij"), axis=-1).reshape(-1, 2)
    points = plane.origin + places @ np.stack([plane.across, plane.up])
    shape = (len(a), len(b), size, channels)
    mean, spread = (drawn.reshape(shape) for drawn in decoder_of(detector)(points))
    return WalkGrid(origin=plane.origin, across=plane.across, up=plane.up, a=a, b=b, mean=mean, spread=spread)


def _plane(sample: WindowSample) -> Plane:
    n_dims = sample.latent.shape[1]
    if n_dims > 2:
        return principal_plane(sample.latent)
    return dimension_plane(sample.latent, sample.kl_per_dim, 0, n_dims - 1)


def _ticks(plane: Plane, latent: Floats32, side: int) -> tuple[Floats, Floats]:
    """Even steps over the cloud with some air around it; one where the plane has no such direction."""
    places = plane.places(latent)
    low, high = places.min(axis=0), places.max(axis=0)
    air = np.where(high > low, (high - low) * _AIR, 1.0)
    across, up = (np.linspace(low[i] - air[i], high[i] + air[i], side) for i in (0, 1))
    return across, up if plane.up.any() else np.zeros(1)
