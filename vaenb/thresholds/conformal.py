"""Conformal risk control with blocks: a bound on false alarms without a model of the scores. NumPy ring."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from vaenb.thresholds.base import Choice, Threshold, check_number
from vaenb.thresholds.calibration import as_percent, least_for

if TYPE_CHECKING:
    from vaenb.records import Floats
    from vaenb.thresholds.calibration import Calibration


@dataclass(repr=False)
class Conformal(Threshold):
    r"""A distribution-free bound on the share of normal points that are flagged, with blocks.

    The scores are cut into m blocks; ``threshold_`` is the lowest score with

    .. math:: \frac{1}{m + 1} \left( 1 + \sum_{j=1}^{m} L_j \right) \le \alpha,

    where :math:`L_j` is the share of block j above it. If a new block is exchangeable with these m, the
    expected share of it that is flagged is at most `alpha` (conformal risk control, [1]_), for any
    distribution of scores and any dependence inside a block. With blocks of one point it is split
    conformal prediction [2]_.

    Scores of overlapping windows are not exchangeable; blocks of two windows nearly are: only
    neighbouring blocks share values. What is left is the dependence between neighbours and any drift.

    Parameters
    ----------
    alpha : float
        The share of normal points that may be flagged.
    block : int or "auto"
        Points in a block. "auto": twice `window_size`, or 1 where `window_size` is 1.

    Warnings
    --------
    It needs at least ``1 / alpha - 1`` blocks. With fewer, no finite threshold keeps the promise; the
    highest score is taken, and ``warnings_`` says so.

    References
    ----------
    .. [1] A. N. Angelopoulos, S. Bates, A. Fisch, L. Lei, T. Schuster, Conformal risk control. ICLR 2024.
    .. [2] V. Vovk, A. Gammerman, G. Shafer, Algorithmic Learning in a Random World. Springer, 2005.

    Examples
    --------
    >>> Conformal(alpha=0.25).fit(range(1, 20)).threshold_        # 4 of 19 lie above: (1 + 4) / 20 = 0.25
    15.0
    """

    alpha: float = 0.01
    block: int | str = "auto"

    def __post_init__(self) -> None:
        self.alpha = check_number("Conformal", "alpha", self.alpha, low=0, high=1)
        if self.block != "auto":
            points = check_number("Conformal", "block (points, or 'auto')", self.block, low=0)
            self.block = math.ceil(points)

    def _choose(self, calibration: Calibration) -> Choice:
        scores, weights, n_blocks = self._blocks(calibration)
        allowed = self.alpha * (n_blocks + 1) - 1
        if allowed < -1e-9:
            said = (
                f"{n_blocks:,} blocks cannot bound the flagged share by {as_percent(self.alpha)}, only by "
                f"{as_percent(1 / (n_blocks + 1))}: the highest score is the threshold; "
                f"{least_for(self.alpha):,} blocks would do."
            )
            return Choice(threshold=float(calibration.ascending[-1]), remarks=(said,))
        down = np.argsort(-scores, kind="stable")
        ranked = scores[down]
        above = np.concatenate([[0.0], np.cumsum(weights[down])])[np.searchsorted(-ranked, -ranked)]
        return Choice(threshold=float(ranked[above <= allowed + 1e-9][-1]))

    def _blocks(self, calibration: Calibration) -> tuple[Floats, Floats, int]:
        """The known scores of whole blocks, each one's share of its block, and the number of blocks."""
        w = calibration.window_size
        size = (2 * w if w > 1 else 1) if isinstance(self.block, str) else int(self.block)
        size = min(size, len(calibration.scores))
        # The newest scores are the most like those to come: what fills no block is left out at the start.
        table = calibration.scores[len(calibration.scores) % size :].reshape(-1, size)
        known = ~np.isnan(table)
        count = known.sum(axis=1)
        weights = np.repeat(1 / np.maximum(count, 1), count)
        return table[known], weights, int((count > 0).sum())
