"""Whom to blame for a stretch: how far each channel lies from its reconstruction, beyond what is usual."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from vaenb.evidence import Evidence
    from vaenb.records import Floats, Ints

_NORMAL: Final = 4_096  # calibration cells that say what is usual
_NOISE: Final = 1e-9  # of rounding
_FAR: Final = 1e6  # standard deviations: further out, far is far


class Blame:
    """Shares of the blame, from the values and what was expected of them.

    Parameters
    ----------
    evidence : Evidence
    grid : ndarray of float64, shape (n_cells, n_channels)
        The values on the cells.
    """

    def __init__(self, evidence: Evidence, grid: Floats) -> None:
        self._evidence, self._grid = evidence, grid

    def shares(self, start: int, stop: int) -> Floats:
        r"""Each channel's share of the blame for the cells from `start` to before `stop`.

        .. math:: b_c = \max\big(0, \operatorname{mean}_t (x_{tc} - \mu_{tc})^2 / \sigma_{tc}^2 - n_c\big)

        where :math:`n_c` is the same mean over the calibration part. Missing values count for nothing;
        where no channel stands out, all share the blame equally.

        Returns
        -------
        ndarray of float64, shape (n_channels,)
            They sum to 1.
        """
        beyond = np.maximum(self._distance(np.arange(start, stop)) - self._usual, 0.0)
        total = float(beyond.sum())
        return beyond / total if total > _NOISE else np.full(len(beyond), 1 / len(beyond))

    @cached_property
    def _usual(self) -> Floats:
        evidence = self._evidence
        begin, end = evidence.train_stop, max(evidence.calibration_stop, evidence.train_stop + 1)
        cells = np.linspace(begin, end - 1, min(_NORMAL, end - begin)).astype(np.int64)
        return self._distance(np.minimum(cells, len(self._grid) - 1))

    def _distance(self, cells: Ints) -> Floats:
        """Squared distance from the reconstruction in standard deviations, the mean of each channel."""
        mean, spread = self._evidence.reconstruction[cells], self._evidence.spread[cells]
        off = (self._grid[cells] - mean) / np.maximum(spread, 1e-12)
        known = np.isfinite(off)
        total = (np.clip(np.where(known, off, 0.0), -_FAR, _FAR) ** 2).sum(axis=0)
        return np.asarray(total / np.maximum(known.sum(axis=0), 1))
