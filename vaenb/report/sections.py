"""The sections of a report, from the verdict down to the glossary, as HTML. NumPy only."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

import numpy as np

from vaenb.formats import counted, duration, number, step_name
from vaenb.report.pictures import MAX_EVENTS, event_span, overview, zoom
from vaenb.report.plots import TRAINING_CURVES, histogram, latent_sample, latent_space, tail_words, training
from vaenb.report.tables import bullets, event_length, events_table, metrics_table, pairs

if TYPE_CHECKING:
    from vaenb.report import Findings
    from vaenb.report.scene import Scene

GLOSSARY = {
    "Anomaly score": (
        "One number for every point: how badly the model copes with what it sees there. Higher means "
        "stranger. Its unit has no meaning of its own; compare it with other scores of the same "
        "detector."
    ),
    "Threshold": (
        "The score above which a point is flagged. It is set on scores of data held out from training"
        " (the calibration part), so that it says how often normal data would raise a false alarm."
    ),
    "Event": (
        "A run of flagged points, taken as one alarm. Its severity says how far the score stands "
        "above the threshold: 0 is just on it, 1 is twice as far from normal."
    ),
    "Variational autoencoder (VAE)": (
        "A neural network that squeezes a window of the series into a few numbers and draws it again "
        "from them. Trained on normal data, it draws normal windows well and strange ones badly."
    ),
    "ELBO": (
        "What training makes as large as it can: how well windows are drawn again, minus the KL term."
        " It is a lower bound of the logarithm of the probability that the model gives to the data, "
        "in nats."
    ),
    "KL divergence": (
        "How much the encoder says about each window, measured against knowing nothing (the prior). "
        "Near 0 in every dimension, the model ignores the window: its posterior has collapsed."
    ),
    "Latent space": (
        "The few numbers into which a window is squeezed, as a place on a map. Similar windows lie "
        "close together; windows unlike all others often lie apart."
    ),
    "Training, calibration, test": (
        "The model learns from the first part, the threshold from the second, and the third is seen "
        "by neither: only there is the verdict a fair one."
    ),
}


def _section(ident: str, title: str, *content: str) -> str:
    return f'<section id="{ident}"><h2>{escape(title)}</h2>{"".join(content)}</section>\n'


def _figure(svg: str, caption: str = "") -> str:
    return f"<figure>{svg}{f'<figcaption>{caption}</figcaption>' if caption else ''}</figure>"


def verdict(findings: Findings) -> str:
    """What was found, in a sentence."""
    series, events = findings.series, findings.events
    found = counted(len(events), "event") if len(events) else "No event"
    told = f"{found} in {len(series):,} {step_name(series.interval)}"
    in_test = int(np.count_nonzero(series.cells[events.start] >= series.train_cells))
    if len(events) and in_test < len(events):
        told += f", {in_test:,} of them in the test part"
    promise = findings.threshold.promise.strip().rstrip(".")
    if promise.startswith("flags"):
        promise = f"the threshold {promise}"
    # A number and its sign stay on one line.
    return f"{told}. {_first_up(promise)}.".replace(" %", "\u00a0%") if promise else f"{told}."


def _header(scene: Scene) -> str:
    findings = scene.findings
    series = findings.series
    every = "rows in order, no clock" if series.interval is None else f"every {duration(series.interval)}"
    facts = {
        "Series": f"{counted(len(series), 'row')}, {counted(series.n_channels, 'channel')}",
        "Sampled": every,
        "From": scene.when(0),
        "To": scene.when(len(series) - 1),
        "Score": findings.scores.method.replace("_", " "),
        "Windows": f"{findings.scores.window_size} points",
        "Threshold": number(findings.threshold.threshold_),
        "Set by": repr(findings.threshold),
    }
    return (
        f'<header><p class="kicker">Anomaly report</p><h1>{escape(series.name)}</h1>'
        f'<p class="verdict">{escape(verdict(findings))}</p>'
        f'<dl class="facts">{pairs(facts)}</dl></header>{_notes(findings)}'
    )


def _notes(findings: Findings) -> str:
    """What a reader must not miss, if there is anything."""
    warnings = [*findings.threshold.warnings_]
    warnings += findings.history.warnings if findings.history else ()
    warnings += findings.evaluation.remarks if findings.evaluation else ()
    return f"<aside><h2>Before you trust this</h2>{bullets(warnings)}</aside>" if warnings else ""


def _series_section(scene: Scene) -> str:
    tools = (
        '<div class="tools" hidden><div role="group" aria-label="Zoom">'
        '<button data-zoom="in">Zoom in</button><button data-zoom="out">Zoom out</button>'
        '<button data-zoom="back" aria-label="Earlier">\u2190</button>'
        '<button data-zoom="on" aria-label="Later">\u2192</button>'
        '<button data-zoom="all">Whole series</button></div>'
        "<output>Point at the picture to read values; drag across it to zoom.</output></div>"
    )
    figure = _figure(overview(scene), escape(" ".join(_overview_caption(scene))))
    return _section("series", "The series and its scores", tools, figure)


def _overview_caption(scene: Scene) -> list[str]:
    series = scene.findings.series
    told = ["Shaded: events, numbered by severity."] if len(scene.findings.events) else []
    if len(scene.channels) < series.n_channels:
        told.append(
            f"Shown are {len(scene.channels)} of {series.n_channels} channels, the most blamed first."
        )
    if scene.labels is not None:
        told.append("Green: where the labels say that something is wrong.")
    if scene.score_scale(scene.curves[-1].values).bent:
        told.append("The score axis is compressed far above the threshold.")
    if len(scene.curves[-1].cells) < scene.timeline.n_cells:
        told.append(
            f"Drawn are {len(scene.curves[-1].cells):,} of {scene.timeline.n_cells:,} points: "
            "the lowest and the highest of each short stretch, so that no peak is lost."
        )
    return told


def _events_section(scene: Scene) -> str:
    if not len(scene.findings.events):
        return _section("events", "Events", "<p>No score stands above the threshold for long enough.</p>")
    many = len(scene.findings.events) > MAX_EVENTS
    lead = f"Most severe first{f'; the first {MAX_EVENTS} are pictured' if many else ''}."
    cards = "".join(_card(scene, event, rank) for rank, event in enumerate(scene.order[:MAX_EVENTS], start=1))
    near = f'<h3>From near</h3><div class="cards">{cards}</div>'
    return _section("events", "Events", f"<p>{lead}</p>", events_table(scene), near)


def _card(scene: Scene, event: int, rank: int) -> str:
    lasts = event_length(scene, event, both=False)
    title = f"<b>{rank}</b> {escape(event_span(scene, event))} <span>{lasts}</span>"
    return f'<figure id="event-{rank}"><h4>{title}</h4>{zoom(scene, event, rank=rank)}</figure>'


def _scores_section(scene: Scene) -> str:
    cards = _figure(histogram(scene), f"{escape(_first_up(tail_words(scene)))} Mind the logarithmic scale.")
    findings = scene.findings
    latent, scores = findings.latent, findings.latent_scores
    shown = (
        0
        if latent is None or scores is None
        else len(latent_sample(latent, scores, findings.threshold.threshold_))
    )
    if shown and latent is not None and scores is not None:
        told = f"{_some(shown, len(latent))} windows; a ring marks those above the threshold."
        cards += _figure(latent_space(scene, latent, scores), told)
    return _section("scores", "Scores", f'<div class="cards">{cards}</div>')


def _some(shown: int, total: int) -> str:
    return f"{shown:,}" if shown == total else f"{shown:,} of {total:,}"


def _first_up(text: str) -> str:
    return text[:1].upper() + text[1:]


def _training_section(scene: Scene) -> str:
    history = scene.findings.history
    if history is None or not len(history):
        return ""
    cards = "".join(
        f"<figure><h4>{title}</h4>{training(history, name)}</figure>"
        for name, title in TRAINING_CURVES.items()
    )
    took = duration(sum(record.seconds for record in history.epochs))
    lead = (
        f"{counted(len(history), 'epoch')} in {took} ({escape(history.stopped)}); the weights of epoch "
        f"{history.best_epoch} are kept. In nats per window; the ELBO is the reconstruction term minus the "
        "KL divergence, and higher is better."
    )
    return _section("training", "Training", f"<p>{lead}</p>", f'<div class="cards three">{cards}</div>')


def _judged_section(scene: Scene) -> str:
    report = scene.findings.evaluation
    if report is None:
        return ""
    lead = "<p>Beside baselines that learn next to nothing. The best of each row is bold.</p>"
    return _section("judged", "Judged by the labels", lead, metrics_table(report))


def _data_section(scene: Scene) -> str:
    repairs = scene.findings.series.repairs
    return _section(
        "data", "Found and mended in the data", bullets(repairs) if repairs else "<p>Nothing to repair.</p>"
    )


def _code_section(scene: Scene) -> str:
    findings = scene.findings
    code = f"<pre><code>{escape(findings.code)}</code></pre>"
    box = f'<div class="code"><button data-copy hidden>Copy</button>{code}</div>'
    listed = f'<h3>Settings</h3><dl class="settings">{pairs(findings.settings)}</dl>'
    return _section("code", "To find the same again", box, listed if findings.settings else "")


def _glossary_section(_: Scene) -> str:
    return _section("glossary", "Words", f'<dl class="glossary">{pairs(GLOSSARY)}</dl>')


SECTIONS = (
    _header,
    _series_section,
    _events_section,
    _scores_section,
    _training_section,
    _judged_section,
    _data_section,
    _code_section,
    _glossary_section,
)
