"""The whole numbers, kept once. NumPy only."""

from __future__ import annotations

from typing import TYPE_CHECKING
from weakref import WeakValueDictionary

import numpy as np

if TYPE_CHECKING:
    from vaenb.records.arrays import Ints

_kept: WeakValueDictionary[str, Ints] = WeakValueDictionary()


def whole_numbers(n: int) -> Ints:
    """The numbers 0 to n - 1, read-only: all who hold some of them hold one array.

    The rows of a long series, their cells and the starts of its windows are the same numbers three times.

    Examples
    --------
    >>> cells, starts = whole_numbers(5), whole_numbers(3)
    >>> starts, np.shares_memory(cells, starts)
    (array([0, 1, 2]), True)
    """
    longest = _kept.get("longest")
    if longest is None or len(longest) < n:
        longest = np.arange(n, dtype=np.int64)
        longest.flags.writeable = False
        _kept["longest"] = longest
    return longest[:n]
