"""How a fitted detector's windows become the scores that are judged. TensorFlow ring."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.base import BaseEstimator

from vaenb.multiscale import MultiScale
from vaenb.scoring import channel_scores, score
from vaenb.votes import weighs_lengths

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from vaenb.records import Scores, Windows

TOLERANCE = 0.15  # of `vaenb.score`, where lengths are weighed: chosen on nine sources (tests/benchmarks)


class JudgedScores(BaseEstimator):  # type: ignore[misc] # scikit-learn has no types
    """The part of `vaenb.VAEDetector` that knows what its settings `method` and `vote` ask for."""

    def _errors(self, windows: Windows) -> Scores:
        """What windows say of each timestamp; for the lengths, NaN where nothing is known."""
        found = score(self.model_, windows, self.method, vote=self.window_vote, **self.drawing)
        if self.weighs_lengths and windows.missing is not None:
            found.values[windows.missing.all(axis=1)] = np.nan
        return found

    @property
    def weighs_lengths(self) -> bool:
        """Whether its scores come from errors averaged over several lengths."""
        return weighs_lengths(method=self.method, vote=self.vote)

    @property
    def window_vote(self) -> str:
        """How windows vote on a timestamp, before lengths are weighed."""
        return "point" if self.weighs_lengths or self.vote == "point" else "window"

    @property
    def drawing(self) -> dict[str, Any]:
        """What `vaenb.score` is to take: `n_samples`, `tolerance`, `impute` and `seed`."""
        chosen = {"impute": self.imputes_, "seed": self.seed}
        if self.weighs_lengths:
            return {"n_samples": 0, "tolerance": TOLERANCE, **chosen}
        return {"n_samples": self.n_samples, **chosen}

    def _fit_lengths(self, errors: Scores, *, stop: int) -> Scores:
        """Learn what is usual up to `stop`; the scores that are judged."""
        lengths = MultiScale(self.window_size_) if self.weighs_lengths else None
        self.lengths_ = lengths and lengths.fit(errors.values[:stop])
        return self._weigh(errors)

    def _weigh(self, errors: Scores) -> Scores:
        """The scores that are judged; they take the place of the errors in memory."""
        if self.lengths_ is None:
            return errors
        return replace(errors, values=self.lengths_.transform(errors.values, out=errors.values))

    def score_channels(self, windows: Windows) -> NDArray[np.float64]:
        """Each channel's part of the score of each window, shape (n_windows, n_channels)."""
        return channel_scores(self.model_, windows, self.method, **self.drawing)
