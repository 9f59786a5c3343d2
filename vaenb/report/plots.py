"""The pictures of a report that are not over time: histogram, training curves, latent space. NumPy only."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from vaenb.drawing.axes import Scale, Tick, limits, number_ticks, share_ticks
from vaenb.drawing.svg import (
    Pane,
    dots,
    end_labels,
    frame,
    line,
    margin,
    picture,
    ramp_dots,
    ramp_key,
    shade,
    steps,
    upright,
    words,
    x_axis,
    y_axis,
)
from vaenb.formats import number

if TYPE_CHECKING:
    from vaenb.records import Floats, History, Ints
    from vaenb.report.scene import Scene

TRAINING_CURVES = {"elbo": "ELBO", "reconstruction": "Reconstruction", "kl": "KL divergence"}
MAX_DOTS = 2_000
_N_BARS = 48
_CARD, _THIRD = 460.0, 330.0


def finite(values: object) -> Floats:
    """The finite ones of some scores, as a flat array; none for None."""
    flat = np.asarray([] if values is None else values, dtype=np.float64).ravel()
    return flat[np.isfinite(flat)]


def judged_scores(scene: Scene) -> Floats:
    """The finite scores of the test part; of everything where there is no test part."""
    series = scene.findings.series
    after = scene.findings.scores.values[series.cells >= series.train_cells]
    return finite(after if len(after) else scene.findings.scores.values)


def histogram(scene: Scene) -> str:
    """How often each score occurs, in the calibration and the test part, with the tail shaded."""
    held, test = finite(scene.findings.calibration_scores), judged_scores(scene)
    across = scene.score_scale(held, test, pad=0.02)
    edges = _edges(across, scene.over)
    fewest = 1 / max(len(held), len(test), 2)
    tall = Scale(float(np.log10(fewest)) - 0.3, 0.0)
    ticks = share_ticks(tall)
    left = margin(ticks)
    pane = Pane(x=across, y=tall, left=left, top=30, width=_CARD - left - 14, height=214)
    bars = [
        steps(pane, edges, _log_shares(scores, edges), css=css)
        for scores, css in ((held, "v-bars"), (test, "v-outline"))
        if len(scores)
    ]
    return picture(
        "histogram",
        _histogram_key(pane, n_held=len(held)),
        y_axis(pane, ticks[-6:]),
        frame(pane, bars[0] if len(held) else "", _tail(scene, pane), bars[-1] if bars else ""),
        _threshold_name(scene, pane),
        x_axis(pane, number_ticks(across, 5), title="anomaly score"),
        width=_CARD,
        height=pane.bottom + 44,
        title="How the anomaly scores are spread",
        desc="Histogram with a logarithmic scale of shares. " + tail_words(scene),
    )


def _edges(scale: Scale, threshold: float | None) -> Floats:
    """Bars of equal width, with an edge on the threshold."""
    shift = 0.0 if threshold is None else float(scale(threshold)) * _N_BARS % 1
    places = (np.arange(_N_BARS + 2) - 1 + shift) / _N_BARS
    return scale.inverse(places)


def _log_shares(scores: Floats, edges: Floats) -> Floats:
    """The decimal logarithm of each bar's share of the scores, NaN where there are none."""
    counts = np.histogram(scores, edges)[0].astype(np.float64)
    counts[counts == 0] = np.nan
    return np.asarray(np.log10(counts / len(scores)))


def _tail(scene: Scene, pane: Pane) -> str:
    if scene.over is None:
        return ""
    stripe = shade(pane, [scene.over], [pane.x.high], css="v-tail")
    return stripe + upright(pane, scene.over, css="v-threshold")


def _threshold_name(scene: Scene, pane: Pane) -> str:
    if scene.over is None:
        return ""
    x = pane.at(scene.over, 0)[0]
    crowded = x > pane.left + 0.6 * pane.width
    text = f"threshold {number(scene.over)}"
    anchor = "end" if crowded else "start"
    return words(x + (-6 if crowded else 6), pane.top + 13, text, css="v-text-alarm v-halo", anchor=anchor)


def _histogram_key(pane: Pane, *, n_held: int) -> str:
    """What the filled bars and the outline are."""
    held = f'<rect class="v-bars" x="{pane.left:g}" y="6" width="11" height="11"/>'
    held += words(pane.left + 17, 16, "calibration part")
    x = pane.left + (140 if n_held else 0)
    test = f'<path class="v-outline" d="M{x:g},17v-11h11v11"/>' + words(x + 17, 16, "test part")
    return (held if n_held else "") + test


def tail_words(scene: Scene) -> str:
    """What share of the scores lies above the threshold, in words."""
    if scene.over is None:
        return "There is no threshold to compare with."
    told = []
    parts = {"calibration": finite(scene.findings.calibration_scores), "test": judged_scores(scene)}
    for name, scores in parts.items():
        if len(scores):
            above = int((scores > scene.over).sum())
            share = number(100 * above / len(scores), 2)
            told.append(f"{above:,} of {len(scores):,} {name} scores ({share}\u202f%)")
    return " and ".join(told) + " lie above the threshold." if told else "There are no scores."


def training(history: History, name: str) -> str:
    """One curve of the training, with its twin on the calibration part and the epoch that is kept marked."""
    ours, held = history.curve(name), history.curve(f"calibration_{name}")
    epochs = np.array([record.epoch for record in history.epochs])
    # The first epochs fall from a great height: they may leave the picture, so that the rest is seen.
    late = len(epochs) // 10
    tall = Scale(*limits(ours[late:], held[late:], pad=0.08))
    ticks = number_ticks(tall, 4)
    across = Scale(*limits(epochs, pad=0.0)) if len(epochs) > 1 else Scale(0.5, 1.5)
    left = margin(ticks)
    pane = Pane(x=across, y=tall, left=left, top=20, width=_THIRD - left - 84, height=150)
    marks = [
        line(pane, epochs, ours, css="v-line v-thick v-data"),
        line(pane, epochs, held, css="v-line v-thick v-held"),
    ]
    best = history.best_epoch
    named = ""
    if best in epochs:
        marks.insert(0, upright(pane, best))
        named = words(pane.at(best, 0)[0], pane.top - 5, f"kept: {best}", css="v-faint", anchor="middle")
    whole = [tick for tick in number_ticks(across, 4) if tick.value == int(tick.value)]
    return picture(
        f"training-{name}",
        y_axis(pane, ticks),
        frame(pane, *marks),
        named + _last_names(pane, ours, held),
        x_axis(pane, whole, title="epoch"),
        width=_THIRD,
        height=pane.bottom + 44,
        title=f"{TRAINING_CURVES[name]} over {len(epochs)} epochs",
        desc=_training_words(history, ours, held),
    )


def _last_names(pane: Pane, ours: Floats, held: Floats) -> str:
    found = ((ours, "train", "v-text-data"), (held, "calibration", "v-text-held"))
    ends = [(finite(curve), text, css) for curve, text, css in found]
    return end_labels(pane, [(float(curve[-1]), text, css) for curve, text, css in ends if len(curve)])


def _training_words(history: History, ours: Floats, held: Floats) -> str:
    told = [f"train from {number(ours[0])} to {number(ours[-1])}"]
    if np.isfinite(held).any():
        told.append(f"calibration from {number(held[0])} to {number(held[-1])}")
    return f"In nats per window: {', '.join(told)}. Kept: epoch {history.best_epoch}."


def principal_axes(latent: Floats) -> tuple[Floats, tuple[str, str]]:
    """Two columns to draw, and their names: the dimensions as they are, or the two main directions.

    Parameters
    ----------
    latent : ndarray, shape (n, latent_dim)

    Returns
    -------
    ndarray, shape (n, 2)
    (str, str)
    """
    if latent.shape[1] == 1:
        latent = np.column_stack([latent, np.zeros(len(latent))])
    if latent.shape[1] == 2:
        return latent, ("latent dimension 1", "latent dimension 2")
    centred = latent - latent.mean(axis=0)
    variances, directions = np.linalg.eigh(centred.T @ centred)
    shares = variances[::-1] / max(variances.sum(), np.finfo(float).tiny)
    names = (
        f"principal axis {place + 1} ({shares[place]:.0%} of the variance)".replace("%", "\u202f%")
        for place in range(2)
    )
    return centred @ directions[:, ::-1][:, :2], (next(names), next(names))


def latent_sample(latent: Floats, scores: Floats, threshold: float) -> Ints:
    """Which dots to draw: those above the threshold and an even choice of the others; `MAX_DOTS` at most."""
    known = np.flatnonzero(np.isfinite(latent).all(axis=1) & np.isfinite(scores))
    above = known[scores[known] > threshold]
    above = above[np.argsort(-scores[above], kind="stable")][: MAX_DOTS // 2]
    others = np.setdiff1d(known, above)
    room = min(len(others), MAX_DOTS - len(above))
    chosen = others[np.linspace(0, len(others) - 1, room).round().astype(int)] if room else others[:0]
    return np.sort(np.concatenate([above, chosen])).astype(np.int64)


def latent_space(scene: Scene, latent: Floats, scores: Floats) -> str:
    """Where the windows lie in the latent space, coloured by score; rings are above the threshold."""
    kept = latent_sample(latent, scores, scene.findings.threshold.threshold_)
    places, names = principal_axes(latent[kept])
    shown = scores[kept]
    shades = scene.score_scale(shown, pad=0.0)
    pane = _square(places)
    order = np.argsort(shown, kind="stable")
    ringed = shown > scene.findings.threshold.threshold_
    return picture(
        "latent",
        y_axis(pane, number_ticks(pane.y, 5)),
        frame(
            pane,
            dots(pane, places[ringed, 0], places[ringed, 1], css="v-ring"),
            ramp_dots(pane, places[order, 0], places[order, 1], shades(shown[order])),
        ),
        x_axis(pane, number_ticks(pane.x, 5), title=names[0]),
        words(pane.left, 14, f"\u2191 {names[1]}", css="v-faint"),
        _score_key(scene, pane, shades),
        width=_CARD,
        height=pane.bottom + 44,
        title=f"Latent space: {len(kept):,} of {len(latent):,} windows",
        desc=f"Scatter of {names[0]} and {names[1]}, coloured by anomaly score; "
        f"{int(ringed.sum()):,} windows above the threshold have a ring.",
    )


def _square(places: Floats) -> Pane:
    """A pane in which a unit is as long across as it is up."""
    left, width, height = 52.0, 310.0, 218.0
    centre = (places.max(axis=0) + places.min(axis=0)) / 2 if len(places) else np.zeros(2)
    spans = np.ptp(places, axis=0) if len(places) else np.zeros(2)
    unit = max(spans[0] / width, spans[1] / height) * 1.08 or 1 / height
    x, y = (
        Scale(middle - unit * size / 2, middle + unit * size / 2)
        for middle, size in zip(centre, (width, height), strict=True)
    )
    return Pane(x=x, y=y, left=left, top=26, width=width, height=height)


def _score_key(scene: Scene, pane: Pane, shades: Scale) -> str:
    """The colours and what scores they stand for."""
    left, height = pane.right + 22, pane.height - 30
    top = pane.top + 30
    ticks = number_ticks(shades, 4)
    if scene.over is not None:
        ticks = [tick for tick in ticks if abs(float(shades(tick.value) - shades(scene.over))) > 0.08]
        ticks.append(Tick(scene.over, number(scene.over)))
    marks = [
        words(left + 16, top + (1 - float(shades(tick.value))) * height + 4, tick.label, css=css)
        for tick in ticks
        for css in ["v-text-alarm" if tick.value == scene.over else ""]
    ]
    return words(left, pane.top + 16, "score") + ramp_key(left, top, height) + "".join(marks)
