"""The end of a stream, whose scores can still change: votes, errors, scores. NumPy ring."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from vaenb.multiscale import MultiScale
    from vaenb.records import Floats, Ints

    Votes = NDArray[np.floating[Any]]


@dataclass(frozen=True, eq=False, kw_only=True)
class Tail:
    """The cells of a stream that later points can still have a say in, and those that these look back at.

    Frozen: a new one takes its place, so whatever goes wrong on the way leaves the old one.

    Attributes
    ----------
    base : int
        The first cell that is kept.
    values : ndarray of float64, shape (n_kept, n_channels)
        On the grid, NaN where missing.
    sums, counts : ndarray, shape (n_kept, n_channels)
        Of the rows in the newest cell, (n_channels,): more may come.
    votes : ndarray of float64, shape (n_kept,)
        The sums of what all windows but the newest say.
    voters : ndarray of int64, shape (n_kept,)
    newest : ndarray of float64, shape (window_size,), or None
        What the newest window says; it is asked again where its last cell changes.
    errors : ndarray of float64, shape (n_kept,)
        Mean votes; with gaps filled where no lengths are weighed, which leave out what is missing.
    scores : ndarray of float64, shape (n_kept,)
    n_known : int
        The errors of so many of the kept cells stay.
    n_settled : int
        The scores of the cells before this one, counted from the stream's beginning, stay.
    """

    base: int
    values: Floats
    sums: Floats
    counts: Floats
    votes: Floats
    voters: Ints
    newest: Votes | None
    errors: Floats
    scores: Floats
    n_known: int
    n_settled: int

    @property
    def n_cells(self) -> int:
        """The cells of the stream so far."""
        return self.base + len(self.values)


class Weigher:
    """From votes of windows to scores, as `VAEDetector` does it, of the end of a stream alone.

    Parameters
    ----------
    window_size, n_channels : int
    lengths : MultiScale or None
        Without it the mean vote is the score.
    """

    def __init__(self, window_size: int, *, n_channels: int, lengths: MultiScale | None) -> None:
        self.window_size, self.n_channels = window_size, n_channels
        self._lengths = lengths
        longest = 1 if lengths is None else int(lengths.lengths_[-1])
        # The mean around a cell takes so many cells before it, and so many from it on.
        self._before, self._after = longest // 2, longest - longest // 2

    def nothing(self) -> Tail:
        """The tail of a stream without points."""
        return Tail(
            base=0,
            values=np.zeros((0, self.n_channels)),
            sums=np.zeros(self.n_channels),
            counts=np.zeros(self.n_channels),
            votes=np.zeros(0),
            voters=np.zeros(0, dtype=np.int64),
            newest=None,
            errors=np.zeros(0),
            scores=np.zeros(0),
            n_known=0,
            n_settled=0,
        )

    def extend(self, tail: Tail, rows: Floats, cells: Ints, ask: Callable[[Floats], Votes]) -> Tail:
        """The tail after more rows.

        Parameters
        ----------
        tail : Tail
        rows : ndarray, shape (n, n_channels)
        cells : ndarray of int64, shape (n,)
            Never falling, and none before the newest cell of the tail.
        ask : callable
            What all windows of some values, (n_cells, n_channels), say: (n_windows, window_size).
        """
        values, sums, counts = _laid(tail, rows, cells)
        n_old, n, size = len(tail.values), len(values), self.window_size
        is_same = n_old == 0 or cells[0] > tail.n_cells - 1
        # All windows that end after the old cells; or on the newest of them, where that has changed.
        first = max(0, (n_old if is_same else n_old - 1) - size + 1)
        said = ask(values[first:]) if n - first >= size else np.empty((0, size))
        votes = np.pad(tail.votes, (0, n - n_old))
        voters = np.pad(tail.voters, (0, n - n_old))
        newest = tail.newest
        if newest is not None and is_same:
            _add(votes, voters, newest[None], n_old - size)
        if len(said):
            _add(votes, voters, said[:-1], first)
            newest = said[-1]
        errors, n_known = self._errors(tail, votes, voters, newest)
        scores = self._scores(tail, errors)
        n_settled = max(0, tail.base + n_known - self._after + 1) if n_known else 0
        return Tail(
            base=tail.base,
            values=values,
            sums=sums,
            counts=counts,
            votes=votes,
            voters=voters,
            newest=newest,
            errors=errors,
            scores=scores,
            n_known=n_known,
            n_settled=max(tail.n_settled, n_settled),
        )

    def _errors(self, tail: Tail, votes: Floats, voters: Ints, newest: Votes | None) -> tuple[Floats, int]:
        """The mean votes, and how many of them stay."""
        if newest is None:
            return np.full_like(votes, np.nan), 0
        total, count = votes.copy(), voters.copy()
        size, n = self.window_size, len(votes)
        _add(total, count, newest[None], n - size)
        with np.errstate(invalid="ignore", divide="ignore"):
            means = total / count
        stay = tail.n_known
        means[:stay] = tail.errors[:stay]
        known = np.flatnonzero(~np.isnan(means))
        if not len(known):
            return means, 0
        if len(known) < n and self._lengths is None:
            nobody = np.flatnonzero(np.isnan(means))
            means[nobody] = np.interp(nobody, known, means[known])
        settled = known[known < n - size]
        return means, int(settled[-1]) + 1 if len(settled) else 0

    def _scores(self, tail: Tail, errors: Floats) -> Floats:
        """The scores, those computed anew that look at an error that has changed."""
        n_old, n = len(tail.scores), len(errors)
        if np.isnan(errors).all():
            return np.full(n, np.nan)
        same = (errors[:n_old] == tail.errors) | (np.isnan(errors[:n_old]) & np.isnan(tail.errors))
        same &= ~np.isnan(tail.scores)  # of a stream in which nothing was known so far
        changed = n_old if same.all() else int(np.argmin(same))
        first = max(0, changed - self._after + 1)
        begin = max(0, first - self._before)
        part = errors[begin:]
        found = part if self._lengths is None else self._lengths.transform(part)
        return np.concatenate([tail.scores[:first], found[first - begin :]])

    def forget(self, tail: Tail) -> Tail:
        """Without the cells that nothing will look at any more."""
        looks_back = min(tail.n_settled - self._before - tail.base, tail.n_known - 1)
        drop = max(0, min(looks_back, len(tail.values) - self.window_size))
        if not drop:
            return tail
        return Tail(
            base=tail.base + drop,
            values=tail.values[drop:],
            sums=tail.sums,
            counts=tail.counts,
            votes=tail.votes[drop:],
            voters=tail.voters[drop:],
            newest=tail.newest,
            errors=tail.errors[drop:],
            scores=tail.scores[drop:],
            n_known=tail.n_known - drop,
            n_settled=tail.n_settled,
        )


def _laid(tail: Tail, rows: Floats, cells: Ints) -> tuple[Floats, Floats, Floats]:
    """The values on the grid after more rows; sums and counts of the newest cell."""
    n_old = len(tail.values)
    places = cells - tail.base
    first = min(n_old, int(places[0]))
    n_new = int(places[-1]) + 1
    total = np.zeros((n_new - first, rows.shape[1]))
    count = np.zeros_like(total)
    if first < n_old:
        total[0], count[0] = tail.sums, tail.counts
    known = ~np.isnan(rows)
    np.add.at(total, places - first, np.where(known, rows, 0.0))
    np.add.at(count, places - first, known)
    means = np.divide(total, count, out=np.full_like(total, np.nan), where=count > 0)
    return np.concatenate([tail.values[:first], means]), total[-1], count[-1]


def _add(votes: Floats, voters: Ints, said: Votes, first: int) -> None:
    """Add the votes of windows that start one after the other; NaN abstains."""
    n, size = said.shape
    speaks = ~np.isnan(said)
    said = np.where(speaks, said, 0.0)
    if n < size:
        for place in range(n):
            here = slice(first + place, first + place + size)
            votes[here] += said[place]
            voters[here] += speaks[place]
        return
    for offset in range(size):
        here = slice(first + offset, first + offset + n)
        votes[here] += said[:, offset]
        voters[here] += speaks[:, offset]
