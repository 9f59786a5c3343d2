"""Ticks of an axis on screen: where we want them, with our labels, and none of bqplot's own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    import bqplot as bq

    from vaenb.drawing.axes import Tick


def set_ticks(axis: bq.Axis, ticks: Sequence[Tick]) -> None:
    """Ticks where we want them, with our labels."""
    values = np.array([tick.value for tick in ticks], dtype=np.float64)
    axis.tick_values = values
    axis.tick_labels = {_as_javascript(tick.value): tick.label for tick in ticks}
    axis.visible = True  # before, it would show numbers of its own


def _as_javascript(value: float) -> str:
    """A number as JavaScript turns it into text: bqplot looks the labels up by it."""
    return np.format_float_positional(value, trim="-") if value else "0"
