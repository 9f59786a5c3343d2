"""Scores that keep coming: the pieces of a threshold panel, longer at their end. NumPy ring."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from vaenb.checks import check_whole
from vaenb.errors import InputError
from vaenb.events import as_flags, as_scores

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from vaenb.records import Bools, Floats
    from vaenb.view_models.threshold_inputs import Pieces


def grown(
    pieces: Pieces,
    scores: ArrayLike,
    *,
    first: int | None = None,
    values: ArrayLike | None = None,
    thresholds: ArrayLike | None = None,
    labels: ArrayLike | None = None,
) -> Pieces:
    """The pieces with other scores from one position on, and beyond their end.

    Parameters
    ----------
    pieces : Pieces
    scores : array_like, shape (n,)
    first : int, optional
        The position of the first of them; without it, they follow the last one.
    values : array_like, shape (n,) or (n, n_channels), optional
        Missing without it, where there were values.
    thresholds : array_like, shape (n,), optional
        That the scores met; NaN where there is none, or where it stays as it was.
    labels : array_like of 0/1, shape (n,), optional

    Raises
    ------
    InputError
        If lengths or channels do not fit, scores are infinite, or would leave a hole.
    """
    new = as_scores(scores)
    at = len(pieces) if first is None else check_whole("first", first, least=0)
    if at > len(pieces) or at + len(new) < len(pieces):
        raise InputError(
            f"The new scores stand from {at:,} to before {at + len(new):,}, and there are {len(pieces):,}: "
            "they must begin among them or right behind, and reach their end."
        )
    if np.isinf(new).any():
        raise InputError("A new score is infinite; every score must be a finite number, or NaN.")
    return replace(
        pieces,
        scores=np.concatenate([pieces.scores[:at], new]),
        timeline=replace(pieces.timeline, n_cells=at + len(new)),
        values=_values(pieces.values, values, at, len(new)),
        thresholds=_thresholds(pieces, thresholds, at, len(new)),
        labels=_labels(pieces.labels, labels, at, len(new)),
    )


def _fits(name: str, shape: tuple[int, ...], expected: tuple[int, ...]) -> None:
    if shape != expected:
        raise InputError(f"{name} of the new scores has shape {shape}; expected {expected}.")


def _values(old: Floats | None, new: ArrayLike | None, at: int, n: int) -> Floats | None:
    if old is None:
        return None
    table = np.full((n, old.shape[1]), np.nan) if new is None else np.asarray(new, dtype=np.float64)
    table = table.reshape(-1, 1) if table.ndim == 1 else table
    _fits("values", table.shape, (n, old.shape[1]))
    return np.concatenate([old[:at], table])


def _thresholds(pieces: Pieces, new: ArrayLike | None, at: int, n: int) -> Floats | None:
    old = pieces.thresholds
    if old is None and new is None:
        return None
    whole = np.full(at + n, np.nan)
    if old is not None:
        whole[: len(old)] = old
    if new is not None:
        given = as_scores(new, "thresholds")
        _fits("thresholds", given.shape, (n,))
        whole[at:] = np.where(np.isnan(given), whole[at:], given)
    return whole


def _labels(old: Bools | None, new: ArrayLike | None, at: int, n: int) -> Bools | None:
    if old is None:
        return None
    marks: NDArray[np.bool_] = np.zeros(n, dtype=bool) if new is None else as_flags(new, "labels")
    _fits("labels", marks.shape, (n,))
    if new is None:
        marks[: len(old) - at] = old[at:]
    return np.concatenate([old[:at], marks])
