"""The cloud of windows: what it is coloured by, which windows are lit, and which one is looked at.

The room beside it, `latent_space`, knows the plane and the walk; `latent_plane` their geometry,
`latent_colors` the colours, `latent_words` the words and `latent_picture` the picture without a kernel.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from vaenb.errors import InputError
from vaenb.view_models import latent_colors as colors
from vaenb.view_models.latent_space import LatentSpace
from vaenb.view_models.timeline import MOST_POINTS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from vaenb.evidence import Decode, Evidence
    from vaenb.records import Bools, Floats, Ints


class LatentView(LatentSpace):
    """All that a `LatentPanel` knows.

    Parameters
    ----------
    evidence : Evidence
    decode : callable, optional
        As for `LatentSpace`.
    most : int
        Points in the cloud.

    Attributes
    ----------
    flagged : ndarray of bool, shape (n_windows,)
        Windows with a point that the rule flags.
    normal : ndarray of int64
        Windows that lie in the training or calibration part and are not flagged.
    shown : ndarray of int64
        The windows in the cloud: all flagged ones, and an even choice of the others; ascending.
    color_by : str
    selected : ndarray of int64
        Windows that are lit, ascending.
    picked : int
        The window that is looked at; to begin with, the one with the highest score.
    """

    def __init__(self, evidence: Evidence, *, decode: Decode | None = None, most: int = MOST_POINTS) -> None:
        super().__init__(evidence, decode=decode)
        self.flagged = touched(evidence.scores > evidence.rule.threshold_, self.starts, self.window_size)
        inside = self.starts + self.window_size <= evidence.calibration_stop
        self.normal = np.flatnonzero(inside & ~self.flagged)
        self.shown = choose(self.flagged, self.sample.scores, most)
        self._verdicts: list[tuple[int, int, str]] | None = None
        self.color_by = "score"
        self.selected: Ints = np.empty(0, dtype=np.int64)
        self.picked = int(np.argmax(np.nan_to_num(self.sample.scores, nan=-np.inf)))

    def check_window(self, index: object) -> int:
        """A number of a window as an int; an `InputError` where there is no such window."""
        whole = isinstance(index, int | np.integer) and not isinstance(index, bool)
        if not whole or not 0 <= int(index) < self.n_windows:  # type: ignore[call-overload]
            raise InputError(
                f"There is no window {index!r}; expected a number from 0 to {self.n_windows - 1}."
            )
        return int(index)  # type: ignore[call-overload, no-any-return]

    # ------------------------------------------------------------------ colours

    @property
    def color_choices(self) -> tuple[str, ...]:
        """What the cloud can be coloured by."""
        labelled = () if self.evidence.series.labels is None else ("label",)
        return ("score", "time", "split", *labelled, "verdict")

    def set_color_by(self, name: object) -> None:
        """Colour by something else; an `InputError` where it is not among `color_choices`."""
        if name == "label" and name not in self.color_choices:
            raise InputError("The series has no labels, so the cloud cannot be coloured by them.")
        if name not in self.color_choices:
            expected = ", ".join(repr(choice) for choice in self.color_choices)
            raise InputError(f"color_by is {name!r}; expected one of {expected}.")
        self.color_by = str(name)

    def set_verdicts(self, verdicts: Any) -> None:
        """What a person said about stretches of the series; None takes it back.

        Parameters
        ----------
        verdicts : mapping, DataFrame or None
            As `vaenb.view_models.latent_colors.read_verdicts` takes them.

        Raises
        ------
        InputError
            If they are something else.
        """
        self._verdicts = None if verdicts is None else colors.read_verdicts(verdicts, self.timeline)

    def coloring(self) -> colors.Ramp | colors.Kinds:
        """The colours of all windows, by `color_by`."""
        evidence, starts, size = self.evidence, self.starts, self.window_size
        if self.color_by == "time":
            return colors.by_time(starts, self.timeline, evidence.series.interval)
        if self.color_by == "split":
            return colors.by_part(starts, size, evidence.train_stop, evidence.calibration_stop)
        if self.color_by == "label":
            return colors.by_label(self.labelled)
        if self.color_by == "verdict":
            if self._verdicts is None:
                return colors.by_flag(self.flagged)
            return colors.by_verdict(starts, size, self._verdicts)
        return colors.by_score(self.sample.scores)

    @cached_property
    def labelled(self) -> Bools:
        """Whether each window has a labelled point."""
        labels = self.evidence.labels
        if labels is None:
            return np.zeros(self.n_windows, dtype=bool)
        return touched(labels == 1, self.starts, self.window_size)

    # ------------------------------------------------------------------ lit windows

    def select(self, windows: Iterable[int] | Ints) -> None:
        """Light up some windows and no others.

        Raises
        ------
        InputError
            If there is no such window.
        """
        found = np.asarray(list(windows) if not isinstance(windows, np.ndarray) else windows)
        if found.dtype == bool and found.shape == (self.n_windows,):
            found = np.flatnonzero(found)
        if found.size == 0:
            found = np.empty(0, dtype=np.int64)
        wrong = (
            found.ravel()[:1]
            if found.dtype.kind not in "iu"
            else found[(found < 0) | (found >= self.n_windows)]
        )
        if len(wrong):
            self.check_window(wrong[0].item())
        self.selected = np.unique(found).astype(np.int64)

    def in_stretch(self, first: int, stop: int) -> Ints:
        """The windows of the cells `first` to `stop` - 1.

        Those that lie in it by half or more, or cover half of it or more.
        """
        overlap = np.minimum(self.starts + self.window_size, stop) - np.maximum(self.starts, first)
        return np.flatnonzero(overlap * 2 >= max(1, min(self.window_size, stop - first)))

    def in_rectangle(self, across: tuple[float, float], up: tuple[float, float]) -> Ints:
        """The shown windows whose places in the plane lie in a rectangle, edges included."""
        x, y = self.places[self.shown].T
        inside = (across[0] <= x) & (x <= across[1]) & (up[0] <= y) & (y <= up[1])
        return np.asarray(self.shown[inside])

    def nearest_shown(self, x: float, y: float) -> int:
        """The shown window nearest to a place of the plane, by eye: both axes are equally long."""
        spans = [high - low for low, high in self.edges]
        away = (self.places[self.shown] - [x, y]) / spans
        return int(self.shown[np.argmin((away**2).sum(axis=1))])

    def lit(self) -> tuple[Ints, Ints]:
        """The stretches that the lit windows cover: first cells, and the cells after the last."""
        return joined(self.starts[self.selected], self.window_size)

    # ------------------------------------------------------------------ the window that is looked at

    def pick(self, window: object) -> None:
        """Look at a window; an `InputError` where there is none of that number."""
        self.picked = self.check_window(window)

    def actual(self, window: int) -> Floats:
        """A window as it was, shape (window_size, n_channels); NaN where missing."""
        start = int(self.starts[window])
        return self.values[start : start + self.window_size]

    def blame(self, window: int) -> list[int]:
        """The channels, those with the largest share of the window's score first."""
        return [int(channel) for channel in np.argsort(-self.sample.shares[window], kind="stable")]

    def nearest_normal(self, window: int, most: int = 4) -> Ints:
        """The normal windows nearest to a window in the latent space, nearest first.

        None of them overlaps the window or another of them: neighbours in time are no news.
        """
        return self.nearest(self.latent[window], self.normal, most=most, apart_from=(window,))


def touched(marks: Bools, starts: Ints, window_size: int) -> Bools:
    """Which windows hold a marked cell, shape (n_windows,)."""
    before = np.concatenate([[0], np.cumsum(marks)])
    return np.asarray(before[np.minimum(starts + window_size, len(marks))] > before[starts])


def choose(flagged: Bools, scores: Floats, most: int) -> Ints:
    """At most `most` windows: the flagged ones, highest scores first, and an even choice of the others."""
    marked, others = np.flatnonzero(flagged), np.flatnonzero(~flagged)
    if len(marked) > most:
        marked = marked[np.argsort(-scores[marked], kind="stable")][:most]
    room = min(len(others), most - len(marked))
    kept = others[np.linspace(0, len(others) - 1, room).round().astype(np.int64)] if room else others[:0]
    return np.sort(np.concatenate([marked, kept])).astype(np.int64)


def joined(starts: Ints, length: int) -> tuple[Ints, Ints]:
    """Stretches of one length as first cells and cells after the last; those that touch become one."""
    if not len(starts):
        return np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64)
    order = np.sort(starts)
    apart = np.flatnonzero(np.diff(order) > length)
    return order[np.append(0, apart + 1)], order[np.append(apart, len(order) - 1)] + length
