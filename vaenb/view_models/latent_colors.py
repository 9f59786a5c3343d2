"""What the points of the latent cloud are coloured by: degrees along a ramp, or kinds with a marker each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from vaenb.drawing.axes import Scale, limits, number_ticks
from vaenb.drawing.svg import RAMP_SIZE
from vaenb.errors import InputError
from vaenb.formats import stamp

if TYPE_CHECKING:
    from collections.abc import Iterable

    from vaenb.records import Bools, Floats, Ints
    from vaenb.view_models.timeline import Timeline

_BEND: Final = 12.0  # scores so many robust standard deviations above the median bend the ramp


@dataclass(frozen=True)
class Kind:
    """A kind of window: its name, a colour (a variable of the style sheet) and a marker of its own."""

    name: str
    color: str
    marker: str


PARTS: Final = (
    Kind("train", "--v-data", "circle"),
    Kind("calibration", "--v-held", "square"),
    Kind("test", "--v-label", "triangle-up"),
)
LABELS: Final = (
    Kind("not labelled", "--v-calm", "circle"),
    Kind("labelled anomalous", "--v-label", "diamond"),
)
FLAGS: Final = (Kind("not flagged", "--v-calm", "circle"), Kind("flagged", "--v-alarm", "diamond"))
VERDICTS: Final = (
    Kind("no verdict", "--v-calm", "circle"),
    Kind("normal", "--v-data", "circle"),
    Kind("unsure", "--v-held", "square"),
    Kind("anomaly", "--v-alarm", "diamond"),
)


@dataclass(frozen=True, eq=False, kw_only=True)
class Ramp:
    """Degrees: each window's place on the ramp, 0 to 1, and what stands at some places beside its key."""

    places: Floats
    ticks: tuple[tuple[float, str], ...]

    @property
    def shades(self) -> Ints:
        """Which colour of the ramp each window has, 0 to `RAMP_SIZE` - 1."""
        return (np.clip(self.places, 0, 1) * (RAMP_SIZE - 1)).round().astype(np.int64)


@dataclass(frozen=True, eq=False, kw_only=True)
class Kinds:
    """Kinds: the number of each window's kind; later kinds are drawn on top."""

    codes: Ints
    kinds: tuple[Kind, ...]


@dataclass(frozen=True, eq=False, kw_only=True)
class Batch:
    """Some windows that are drawn as one mark.

    Attributes
    ----------
    windows : ndarray of int64
        In drawing order.
    colors : tuple of str
        Of each window: variables of the style sheet.
    marker : str
    ringed : bool
        Whether the rule flags them, and the colours do not say so.
    """

    windows: Ints
    colors: tuple[str, ...]
    marker: str = "circle"
    ringed: bool = False


def batches(coloring: Ramp | Kinds, shown: Ints, *, scores: Floats, flagged: Bools, size: int) -> list[Batch]:
    """The shown windows in batches of at most `size`, in drawing order: what matters most comes last."""
    order = shown[np.argsort(np.nan_to_num(scores[shown], nan=-np.inf), kind="stable")]
    found: list[Batch] = []
    if isinstance(coloring, Kinds):
        for code, kind in enumerate(coloring.kinds):
            found += [
                Batch(windows=part, colors=(kind.color,) * len(part), marker=kind.marker)
                for part in _parts(order[coloring.codes[order] == code], size)
            ]
        return found
    shades = coloring.shades
    for ringed in (False, True):
        for part in _parts(order[flagged[order] == ringed], size):
            colors = tuple(f"--v-ramp{shade}" for shade in shades[part].tolist())
            found.append(Batch(windows=part, colors=colors, ringed=ringed))
    return found


def _parts(windows: Ints, size: int) -> list[Ints]:
    return [windows[begin : begin + size] for begin in range(0, len(windows), size)]


def by_score(scores: Floats) -> Ramp:
    """Anomaly scores; the ramp is bent where some are so far out that all others would look alike."""
    known = scores[np.isfinite(scores)]
    low, high = limits(known, pad=0.0)
    centre = float(np.median(known)) if len(known) else 0.0
    width = 1.4826 * float(np.median(np.abs(known - centre))) if len(known) else 0.0
    bent = width > 0 and high - centre > _BEND * width
    scale = Scale(low, high, centre, width) if bent else Scale(low, high)
    ticks = tuple((float(scale(tick.value)), tick.label) for tick in number_ticks(scale, 4))
    return Ramp(places=np.nan_to_num(scale(scores)), ticks=ticks)


def by_time(starts: Ints, timeline: Timeline, interval: float | None) -> Ramp:
    """When the windows start."""
    last = max(1, timeline.n_cells - 1)
    ticks = []
    for share in (0.0, 0.5, 1.0):
        moment = timeline.moments([round(share * last)])[0]
        words = stamp(moment, interval) if timeline.has_clock else f"{moment:,.4g}"
        ticks.append((share, words.split(" ")[0] if last * timeline.step > 2 * 86_400 else words))
    return Ramp(places=starts / last, ticks=tuple(ticks))


def by_part(starts: Ints, window_size: int, train_stop: int, calibration_stop: int) -> Kinds:
    """In which part a window lies; one on a border counts to the later part."""
    stops = starts + window_size
    codes = (stops > train_stop).astype(np.int64) + (stops > calibration_stop)
    return Kinds(codes=codes, kinds=PARTS)


def by_label(touched: Bools) -> Kinds:
    """Whether somebody labelled a point of the window anomalous."""
    return Kinds(codes=touched.astype(np.int64), kinds=LABELS)


def by_flag(flagged: Bools) -> Kinds:
    """Whether the rule flags a point of the window."""
    return Kinds(codes=flagged.astype(np.int64), kinds=FLAGS)


def by_verdict(starts: Ints, window_size: int, spans: Iterable[tuple[int, int, str]]) -> Kinds:
    """What a person said about a stretch that the window touches; of several, what is most alarming.

    Parameters
    ----------
    starts : ndarray, shape (n,)
    window_size : int
    spans : iterable of (first cell, last cell, verdict)
        Verdicts other than "anomaly", "normal" and "unsure" count for none.
    """
    codes = np.zeros(len(starts), dtype=np.int64)
    names = [kind.name for kind in VERDICTS]
    for first, last, verdict in spans:
        if verdict in names:
            touches = (starts <= last) & (starts + window_size > first)
            codes[touches] = np.maximum(codes[touches], names.index(verdict))
    return Kinds(codes=codes, kinds=VERDICTS)


def read_verdicts(verdicts: Any, timeline: Timeline) -> list[tuple[int, int, str]]:
    """Verdicts as cells: first cell, last cell, "anomaly", "normal" or "unsure".

    Parameters
    ----------
    verdicts : mapping or DataFrame
        From (first moment, last moment) to a verdict, which is a word or has one; or a table with the
        columns `start`, `end` and `verdict`.
    timeline : Timeline

    Raises
    ------
    InputError
        If it is neither.
    """
    try:
        if hasattr(verdicts, "columns"):
            columns = (verdicts[name].tolist() for name in ("start", "end", "verdict"))
            rows = list(zip(*columns, strict=True))
        else:
            rows = [(*ends, verdict) for ends, verdict in verdicts.items()]
        return [
            (timeline.cell_of(first), timeline.cell_of(last), getattr(verdict, "verdict", verdict))
            for first, last, verdict in rows
        ]
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise InputError(
            f"The verdicts cannot be read ({error!r}); expected a mapping from (first moment, last moment) "
            "to a verdict, or a table with the columns start, end and verdict, such as JudgePanel.verdicts."
        ) from error
