"""What the panel of step 1 says: why this window size, what each setting brings, what a window is for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from vaenb.formats import counted, duration, number, percent, stamp

if TYPE_CHECKING:
    from vaenb.view_models.data import DataView

SCALER_WORDS: Final = {
    "robust": "Mean and spread without the outermost values: a few spikes in the train part do not squeeze "
    "all the rest.",
    "standard": "Mean 0, standard deviation 1: easy to explain, but one enormous spike in the train part "
    "makes everything else look small.",
    "minmax": "The train part is mapped onto 0 to 1, and what lies beyond is cut off: the textbook model "
    "wants it, but an anomaly larger than anything before looks no larger than the largest.",
}
_PART_WORDS: Final = {
    "train": "in the train part: the model learns from it",
    "calibration": "in the calibration part: held out to set the threshold",
    "test": "in the test part: it is judged",
}
_NEAR: Final = 0.1  # a tenth more or less than a period is the period


def title(view: DataView) -> str:
    """How long the series is, and from when to when."""
    series = view.series
    every = "" if series.interval is None else f", one every {duration(series.interval)}"
    first, last = (stamp(edge, series.interval) for edge in (series.index.min(), series.index.max()))
    channels = counted(series.n_channels, "channel")
    return f"{counted(len(series), 'row')}{every} \u00b7 {channels} \u00b7 {first} to {last}"


def counts(view: DataView) -> str:
    """How many windows each part has."""
    found = view.last_good
    if found is None:
        return "No windows yet."
    parts = {"train": found.train, "calibration": found.calibration, "test": found.test}
    told = " \u00b7 ".join(f"{len(windows):,} {name}" for name, windows in parts.items())
    return f"{told} windows of {counted(found.window_size, 'point')}"


def size_reason(view: DataView) -> str:
    """Why the window has the size that it has."""
    if view.auto is None:
        return "The calibration part is too short for any window."
    size, why = view.auto
    if view.settings["window_size"] == "auto":
        return f"{counted(size, 'point')}{length_of(view, size)}, because {why}."
    mine = f"{counted(view.size, 'point')}{length_of(view, view.size)}"
    return f"You chose {mine}; auto would take {size:,}, because {why}."


def length_of(view: DataView, points: int) -> str:
    """How long so many points last, in brackets; nothing where there is no clock."""
    interval = view.series.interval
    return "" if interval is None else f" ({duration(points * interval)})"


def size_consequence(view: DataView) -> str:
    """What a window of this size can see of the period."""
    period, size = view.acf.period if view.acf else None, view.size
    if period is None:
        return "No lag stands out: let a window be a little longer than what you are looking for."
    ratio = size / period
    if ratio < 1 - _NEAR:
        return (
            f"A window sees {number(100 * ratio, 2)}\u202f% of a period: "
            "what comes after it, the model has to know without having seen the rest."
        )
    if ratio <= 1 + _NEAR:
        return "A window holds one whole period: the model sees where in the pattern each point stands."
    return (
        f"A window holds {number(ratio, 2)} periods: the model has more to learn, "
        "and a short anomaly weighs less in its window."
    )


def resemblance(view: DataView) -> str:
    """How much the series resembles itself one window later."""
    acf = view.acf
    if acf is None or view.size >= len(acf.values):
        return ""
    return f"One window later the series resembles itself with r = {number(float(acf.values[view.size]), 2)}."


def calibration_consequence(view: DataView) -> str:
    """What the calibration share takes from whom."""
    _, held, _ = view.parts
    share = percent(view.settings["calibration"])
    return (
        f"The last {share} of the training rows ({counted(held.stop - held.start, 'point')}) are kept from "
        "the model: the threshold is set there, and not on what it judges."
    )


def train_end_consequence(view: DataView) -> str:
    """Where the training ends, and what that asks for."""
    _, held, test = view.parts
    if view.timeline.has_clock and held.stop < view.series.n_cells:
        when = stamp(view.timeline.moments([held.stop])[0], view.series.interval)
    else:
        when = f"point {held.stop:,}"
    share = percent((test.stop - test.start) / view.series.n_cells)
    return f"Before {when} nothing odd should happen: it is learnt as normal. {share} are left to judge."


def window_words(view: DataView) -> str:
    """Where the highlighted window lies, and what it is used for."""
    sight = view.sight()
    if sight is None:
        return ""
    moments = view.timeline.moments([sight.start, sight.stop - 1])
    first, last = (
        stamp(moment, view.series.interval) if view.timeline.has_clock else "" for moment in moments
    )
    when = f"{first} to {last}" if first else f"Points {sight.start:,} to {sight.stop - 1:,}"
    if len(sight.parts) == 1:
        use = _PART_WORDS[sight.parts[0]]
    else:
        use = f"reaches from {sight.parts[0]} into {sight.parts[-1]}: scored, but used in neither part"
    holes = int(sight.missing.sum())
    told = f"; {counted(holes, 'value is', 'values are')} missing and filled for the network" if holes else ""
    return f"{when}, {use}{told}."


def legend(view: DataView) -> list[tuple[str, str]]:
    """What the colours and marks over the series are, and how much there is of each: (key, words)."""
    repairs = view.repairs
    found = [(part.name, f"{part.name} {part.stop - part.start:,}") for part in view.parts]
    found.append(("window", f"window {view.size:,}"))
    if repairs.n_missing:
        found.append(("missing", f"missing ({repairs.n_missing:,})"))
    if len(repairs.repeated):
        found.append(("repeated", f"several rows at once ({len(repairs.repeated):,})"))
    if len(repairs.backward):
        found.append(("backward", f"time goes back ({len(repairs.backward):,})"))
    return found


def shown_lags(view: DataView) -> int:
    """How many lags of the autocorrelation to draw: some periods, the window, and a little beyond."""
    if view.acf is None:
        return 0
    period = view.acf.period or 0
    return int(min(len(view.acf.values), max(8 * period, 3 * view.size, 128)))


def described(view: DataView) -> str:
    """All of it for those who do not see the picture."""
    train, held, test = (f"{part.stop - part.start:,} {part.name}" for part in view.parts)
    repaired = " ".join(view.repairs.words(view.series.repairs))
    return (
        f"{view.series.name}: {title(view)}. {train}, {held} and {test} points. {counts(view)}. "
        f"{size_reason(view)} {repaired}"
    )


def ranges(view: DataView) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    """Between which scaled values each shown channel nearly always lies, shape (n_shown, 2)."""
    found = view.last_good
    if found is None:
        return np.tile([-1.0, 1.0], (len(view.shown), 1))
    values = found.everything.values[:: max(1, view.series.n_cells // 20_000), list(view.shown)]
    return np.percentile(values.astype(np.float64), [0.2, 99.8], axis=0).T
