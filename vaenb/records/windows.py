"""Windows of a series."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from vaenb.records.arrays import Bools, Floats32, Ints


@dataclass(frozen=True, eq=False, kw_only=True)
class Windows:
    """Windows of a series, kept as the series and the places where they start.

    Attributes
    ----------
    values : ndarray of float32, shape (n_timestamps, n_channels)
        Scaled, with missing points filled.
    missing : ndarray of bool, shape (n_timestamps, n_channels), or None
        True where a value was filled in; None where nothing is missing.
    starts : ndarray of int64, shape (n_windows,)
        Window ``i`` covers ``values[starts[i] : starts[i] + window_size]``.
    """

    values: Floats32
    starts: Ints
    window_size: int
    stride: int = 1
    missing: Bools | None = None

    def __len__(self) -> int:
        return len(self.starts)

    @property
    def n_timestamps(self) -> int:
        """The length of the series that the windows are cut from."""
        return len(self.values)

    @property
    def n_channels(self) -> int:
        """The number of channels."""
        return int(self.values.shape[1])

    @property
    def shape(self) -> tuple[int, int, int]:
        """(n_windows, window_size, n_channels), as if all windows were laid out."""
        return len(self), self.window_size, self.n_channels

    def __getitem__(self, key: slice | Ints | Bools) -> Windows:
        """Some of the windows, over the same values; nothing is copied but the starts."""
        return replace(self, starts=self.starts[key])

    def over(self, part: slice) -> Windows:
        """The same windows, all of which lie in a part of the values, over that part alone; a view."""
        hidden = None if self.missing is None else self.missing[part]
        return replace(self, values=self.values[part], missing=hidden, starts=self.starts - part.start)

    @property
    def array(self) -> Floats32:
        """All windows, shape (n_windows, window_size, n_channels).

        A view without a copy where the starts are evenly spaced, as `make_windows` leaves them.
        """
        from numpy.lib.stride_tricks import sliding_window_view

        view = np.moveaxis(sliding_window_view(self.values, self.window_size, axis=0), -1, 1)
        steps = np.diff(self.starts)
        if len(self.starts) and (steps == self.stride).all():
            return view[self.starts[0] : self.starts[-1] + 1 : self.stride]
        return view[self.starts]
