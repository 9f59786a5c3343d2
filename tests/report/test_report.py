"""The report page: parsed as a browser would, and compared with the findings it was made from."""

import base64
import dataclasses
import hashlib
import json
import re
import subprocess
import sys
from dataclasses import dataclass
from html.parser import HTMLParser

import numpy as np
import pytest

import vaenb
from vaenb.errors import InputError, OutputError
from vaenb.records import EpochRecord, Events, History, Report, Scores, Series
from vaenb.report import Findings, render_report, write_report
from vaenb.report.pictures import overview_panes
from vaenb.report.plots import judged_scores, latent_sample, principal_axes
from vaenb.report.scene import Scene, stripes
from vaenb.report.sections import verdict

VOID = {"meta", "path", "circle", "rect", "use"}  # written without an end tag here
PROMISE = "flags 0.1\u00a0% of normal points: about 0.2 false alarms a day"
EVIL = "</script><script>alert('x')</script><img src=x onerror=alert(1)>"


class Page(HTMLParser):
    """Elements in order with their attributes and text; complains of tags that do not match."""

    def __init__(self, html):
        super().__init__()
        self.elements, self.open = [], []
        self.feed(html)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        element = {"tag": tag, "text": "", "path": [each["tag"] for each in self.open], **dict(attrs)}
        assert len(attrs) == len(dict(attrs))
        self.elements.append(element)
        if tag not in VOID:
            self.open.append(element)

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.handle_endtag(tag)

    def handle_endtag(self, tag):
        assert tag == self.open.pop()["tag"]

    def handle_data(self, data):
        for element in self.open:
            element["text"] += data

    def all(self, tag, **wanted):
        return [
            each
            for each in self.elements
            if each["tag"] == tag and all(each.get(name) == value for name, value in wanted.items())
        ]

    def one(self, tag, **wanted):
        (found,) = self.all(tag, **wanted)
        return found

    def section(self, ident):
        """The elements of a section."""
        begin = self.elements.index(self.one("section", id=ident))
        rest = (
            i
            for i in range(begin + 1, len(self.elements))
            if self.elements[i]["tag"] in {"section", "footer"}
        )
        return self.elements[begin : next(rest)]


@dataclass(frozen=True)
class Threshold:
    threshold_: float = 3.0
    promise: str = PROMISE.replace("\u00a0", " ")
    warnings_: tuple = ()


class EvilThreshold(Threshold):
    def __repr__(self):
        return EVIL


def make_series(n=600, n_channels=1, *, clock=True, labels=True, **changes):
    rng = np.random.default_rng(0)
    table = np.sin(np.arange(n) / 8)[:, None] + rng.normal(0, 0.1, (n, n_channels))
    steps = np.arange(n)
    stamps = np.datetime64("2024-03-01", "ns") + steps * np.timedelta64(30, "m")
    marked = np.zeros(n, dtype=np.int8)
    marked[n // 2 : n // 2 + n // 20] = 1
    fields = {
        "name": "pump",
        "index": stamps if clock else steps,
        "values": table,
        "channels": tuple(f"c{channel}" for channel in range(n_channels)),
        "train_end": n // 2,
        "cells": steps,
        "n_cells": n,
        "labels": marked if labels else None,
        "interval": 1800.0 if clock else None,
        "repairs": ("2 stamps appear twice.",),
    }
    return Series(**{**fields, **changes})


def make_events(score, spans, *, n_channels=1, threshold=3.0):
    start, stop = (np.array([span[side] for span in spans], dtype=np.int64) for side in (0, 1))
    peak = np.array([a + int(np.argmax(score[a:b])) for a, b in spans], dtype=np.int64)
    shares = (
        np.random.default_rng(1).dirichlet(np.ones(n_channels), len(spans)).reshape(len(spans), n_channels)
    )
    severity = (score[peak] - threshold) / threshold if len(spans) else np.empty(0)
    return Events(start=start, stop=stop, peak=peak, score=score[peak], severity=severity, shares=shares)


def make_history(n_epochs=12, **changes):
    records = [
        EpochRecord(
            epoch=epoch,
            elbo=-100.0 / epoch,
            reconstruction=-90.0 / epoch,
            kl=10.0 / epoch,
            kl_per_dim=np.ones(2),
            active_units=2,
            kl_weight=1.0,
            seconds=0.5,
            calibration_elbo=-110.0 / epoch,
            calibration_reconstruction=-95.0 / epoch,
            calibration_kl=15.0 / epoch,
        )
        for epoch in range(1, n_epochs + 1)
    ]
    fields = {"epochs": tuple(records), "best_epoch": n_epochs, "stopped": "finished"}
    return History(**{**fields, **changes})


def make_scores(n=600, spans=((300, 330), (450, 460), (100, 104)), heights=(9.0, 5.0, 4.0)):
    score = np.random.default_rng(2).uniform(0, 2, n)
    for (start, stop), height in zip(spans, heights, strict=True):
        score[start:stop] = height
    return score


def wrap(score, window_size=16):
    return Scores(
        values=score,
        method="reconstruction_probability",
        window_size=window_size,
        window_values=score,
        window_starts=np.arange(len(score)),
    )


def make_findings(series=None, score=None, spans=((100, 104), (300, 330), (450, 460)), **changes):
    series = make_series() if series is None else series
    score = make_scores(len(series)) if score is None else score
    rng = np.random.default_rng(3)
    metrics = {"vae": {"vus_pr": 0.61, "f1": 0.5}, "random": {"vus_pr": 0.1}, "window_pca": {"vus_pr": 0.7}}
    fields = {
        "series": series,
        "scores": wrap(score),
        "threshold": Threshold(),
        "events": make_events(score, spans, n_channels=series.n_channels),
        "code": "import vaenb\nvaenb.VAEDetector()",
        "settings": {"window_size": 16, "learning_rate": 0.001},
        "history": make_history(),
        "evaluation": Report(metrics=metrics, remarks=("PCA wins.",)),
        "calibration_scores": rng.uniform(0, 3.2, 200),
        "train_stop": len(series) * 2 // 5,
        "latent": rng.normal(size=(200, 4)),
        "latent_scores": rng.uniform(0, 4, 200),
    }
    return Findings(**{**fields, **changes})


@pytest.fixture(scope="module")
def findings():
    return make_findings()


@pytest.fixture(scope="module")
def page(findings):
    return Page(render_report(findings))


def check(html):
    """What must hold for every page; returns it parsed."""
    page = Page(html)
    names = [each["id"] for each in page.elements if "id" in each]
    assert len(names) == len(set(names))
    links = [each["href"] for each in page.elements if "href" in each]
    assert {link.removeprefix("#") for link in links} <= set(names)
    texts = {each["id"]: each["text"] for each in page.elements if "id" in each}
    for svg in page.all("svg", role="img"):
        title, desc = (texts[ident] for ident in svg["aria-labelledby"].split())
        assert title.strip()
        assert desc.strip()
    pictures = [each for each in page.all("svg") if "svg" not in each["path"]]
    assert all(each.get("role") == "img" for each in pictures)
    drawn = " ".join(
        each.get(name, "") for each in page.elements for name in ("d", "x", "y", "viewbox", "transform")
    )
    assert not re.search(r"nan|inf|None", drawn)
    return page


def read_data(page):
    return json.loads(page.one("script", id="overview-data")["text"])


def path_points(path):
    return [tuple(map(float, point.split(","))) for point in re.findall(r"-?[\d.]+,-?[\d.]+", path["d"])]


# ---- the page as a whole


def test_the_page_is_sound_and_has_all_its_sections(findings):
    page = check(render_report(findings))
    assert [each["id"] for each in page.all("section")] == [
        "series",
        "events",
        "scores",
        "training",
        "judged",
        "data",
        "code",
        "glossary",
    ]
    assert page.one("html")["lang"] == "en"
    assert page.all("title")[0]["text"] == "pump: 3 events"
    # overview, histogram, latent space, three training curves; a close-up and a small line for each event
    assert len(page.all("svg", role="img")) == 6 + 2 * 3


def test_nothing_is_fetched_and_only_our_script_may_run(findings, page):
    html = render_report(findings)
    assert not re.search(r"https?:|//[a-z]|@import|url\(", html.split("<script>", maxsplit=1)[0])
    assert {"img", "link", "iframe", "object", "base", "form"}.isdisjoint(
        each["tag"] for each in page.elements
    )
    assert not [name for each in page.elements for name in each if name.startswith("on")]
    data, script = page.all("script")
    assert data["type"] == "application/json"
    digest = base64.b64encode(hashlib.sha256(script["text"].encode()).digest()).decode()
    (policy,) = [each["content"] for each in page.all("meta") if "http-equiv" in each]
    assert policy == f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{digest}'"
    assert not re.search(r"fetch|XMLHttp|import|https?:|innerHTML|eval", script["text"])


def test_the_same_findings_give_the_same_page(findings):
    assert render_report(findings) == render_report(make_findings())


def test_names_cannot_do_harm():
    series = make_series(n_channels=2, name=EVIL, channels=(EVIL, "b & <b>"), repairs=(EVIL,))
    changes = {
        "threshold": EvilThreshold(promise=EVIL, warnings_=(EVIL,)),
        "code": EVIL,
        "settings": {EVIL: EVIL},
        "history": make_history(stopped=EVIL, warnings=(EVIL,)),
        "evaluation": Report(metrics={EVIL: {EVIL: 1.0}, "vae": {EVIL: 0.5}}, remarks=(EVIL,)),
        "scores": dataclasses.replace(wrap(make_scores()), method=EVIL),
    }
    page = check(render_report(make_findings(series, **changes)))
    assert len(page.all("script")) == 2
    assert page.all("img") == []
    assert {curve["name"] for curve in read_data(page)["curves"]} == {EVIL, "b & <b>", "score"}
    assert page.one("h1")["text"] == EVIL
    assert page.one("pre")["text"] == EVIL


def test_half_a_surrogate_pair_in_a_name_can_be_written(tmp_path):
    write_report(make_findings(make_series(channels=("a\ud800",))), tmp_path / "report.html")
    assert "a&#55296;" in (tmp_path / "report.html").read_text(encoding="utf-8")


# ---- the verdict


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        (
            {},
            f"3 events in 600 half-hours, 2 of them in the test part. The threshold {PROMISE}.",
        ),
        ({"spans": ((300, 330),), "threshold": Threshold(promise="")}, "1 event in 600 half-hours."),
        (
            {"spans": (), "threshold": Threshold(promise="expect one a week.")},
            "No event in 600 half-hours. Expect one a week.",
        ),
    ],
)
def test_the_verdict_is_a_sentence(changes, expected):
    assert verdict(make_findings(**changes)) == expected


def test_warnings_stand_at_the_top(page):
    warned = make_findings(
        threshold=Threshold(warnings_=("Few scores.",)), history=make_history(warnings=("Collapsed.",))
    )
    aside = Page(render_report(warned)).one("aside")
    assert aside["text"] == "Before you trust thisFew scores.Collapsed.PCA wins."
    assert page.one("aside")["text"] == "Before you trust thisPCA wins."
    calm = make_findings(evaluation=None)
    assert Page(render_report(calm)).all("aside") == []


# ---- the series and its scores


def test_the_read_out_knows_every_value(findings, page):
    data = read_data(page)
    assert data["clock"] is True
    assert data["start"] == np.datetime64("2024-03-01", "ms").astype(int)
    assert (data["step"], data["n"], data["threshold"]) == (1_800_000, 600, 3.0)
    channel, scores = data["curves"]
    assert channel["cells"] is None
    assert channel["values"] == pytest.approx(findings.series.values[:, 0], rel=1e-4)
    assert scores["values"] == pytest.approx(findings.scores.values, rel=1e-4)


def test_scores_above_the_threshold_are_drawn_above_its_line(findings, page):
    path = page.one("path", id="overview-score")
    pane = overview_panes(Scene(findings))[-1]
    line = float(pane.down(3.0))
    assert f"M0,{line:.1f}H600" in [each["d"] for each in page.all("path", **{"class": "v-threshold"})]
    points = np.array(path_points(path))
    assert points[:, 0] == pytest.approx(np.arange(600) + 0.5)
    assert (points[:, 1] < line - 0.1).sum() == (findings.scores.values > 3).sum()


def test_events_and_labels_are_drawn_where_they_are(page):
    drawn = page.elements[: page.elements.index(page.one("section", id="events"))]
    events = {each["d"] for each in drawn if each.get("class") == "v-event"}
    (labels,) = [each["d"] for each in drawn if each.get("class") == "v-labels"]
    for d in events:
        assert re.findall(r"M(\d+),0H(\d+)V", d) == [("100", "104"), ("300", "330"), ("450", "460")]
    assert re.findall(r"M(\d+),0H(\d+)V", labels) == [("300", "330")]


def test_the_parts_are_marked(page):
    parts = {
        each["text"]: (each["data-from"], each["data-to"]) for each in page.all("text", **{"class": "v-part"})
    }
    assert parts == {"training": ("0", "240"), "calibration": ("240", "300"), "test": ("300", "600")}
    whole = Page(render_report(make_findings(train_stop=None)))
    assert [each["text"] for each in whole.all("text", **{"class": "v-part"})] == ["training", "test"]


def test_numbers_over_events_follow_severity(page):
    badges = [(each["text"], float(each["data-at"])) for each in page.all("g", **{"class": "v-badge"})]
    assert badges == [("1", 315), ("2", 455), ("3", 102)]


def test_the_most_blamed_of_many_channels_are_shown():
    findings = make_findings(make_series(n_channels=9))
    page = check(render_report(findings))
    blame = findings.events.shares.sum(axis=0)
    expected = [f"c{channel}" for channel in np.argsort(-blame)[:6]]
    assert [curve["name"] for curve in read_data(page)["curves"]] == [*expected, "score"]
    assert "Shown are 6 of 9 channels, the most blamed first." in page.one("section", id="series")["text"]


def test_missing_values_are_gaps():
    series = make_series()
    series.values[50:90] = np.nan
    score = make_scores()
    score[50:90] = np.nan
    page = check(render_report(make_findings(series, score)))
    assert page.one("path", id="overview-score")["d"].count("M") == 2
    assert read_data(page)["curves"][0]["values"][60] is None


def test_rows_that_jump_back_and_repeat_come_back_in_the_order_of_time():
    order = np.random.default_rng(4).permutation(600)
    cells = np.sort(np.append(np.arange(599), 7))[order]
    stamps = np.datetime64("2024-03-01", "ns") + cells * np.timedelta64(30, "m")
    series = make_series(cells=cells, index=stamps, n_cells=600)
    page = check(render_report(make_findings(series)))
    scores = read_data(page)["curves"][-1]["values"]
    assert scores[599] is None
    rows = np.flatnonzero(cells == 7)
    assert scores[7] == pytest.approx(make_scores()[rows].max(), rel=1e-4)


def test_a_million_points_make_a_small_page_that_keeps_every_peak():
    n, spans = 1_000_000, tuple((start, start + 2) for start in range(1_000, 1_000_000, 10_000))
    score = make_scores(n, spans, np.linspace(4, 9, len(spans)))
    findings = make_findings(make_series(n), score, spans)
    html = render_report(findings)
    page = check(html)
    assert len(html) < 2_000_000
    curve = read_data(page)["curves"][-1]
    kept = dict(zip(curve["cells"], curve["values"], strict=True))
    assert set(np.flatnonzero(score > 3)) <= set(kept)
    assert f"of {n:,} points" in page.one("section", id="series")["text"]


def test_thousands_of_events_make_a_small_page():
    n = 100_000
    spans = tuple((start, start + 1) for start in range(0, n, 5))
    score = make_scores(n, spans, np.full(len(spans), 4.0))
    html = render_report(make_findings(make_series(n), score, spans))
    page = check(html)
    assert len(html) < 2_500_000
    assert "19,000 more are not listed" in page.one("summary")["text"]


def test_stripes_too_close_to_tell_apart_become_one():
    from vaenb.drawing.axes import Scale

    starts = np.array([0, 4, 5_000, 9_999, 20_000])
    begins, ends = stripes(starts, starts + 2, Scale(-0.5, 9_999.5))
    assert begins.tolist() == [-0.5, 4_999.5, 9_998.5]
    assert ends.tolist() == [5.5, 5_001.5, 10_000.5]


# ---- events


def rows_of(page):
    """The cells' texts of the first table of events."""
    rows, inside = [], False
    for each in page.section("events"):
        if each["tag"] == "details":
            break
        if each["tag"] == "tr":
            inside = "tbody" in each["path"]
            rows += [[]] if inside else []
        elif inside and each["tag"] in {"td", "th"}:
            rows[-1].append(re.sub(r"\s+", " ", each["text"]).strip())
    return rows


def test_the_table_lists_events_by_severity(page):
    first, second, third = rows_of(page)
    assert first[:7] == [
        "1",
        "2024-03-07 06:00",
        "2024-03-07 20:30",
        "15 h 30 points",
        "2024-03-07 06:00",
        "9.00",
        "2.0",
    ]
    assert [row[5] for row in (second, third)] == ["5.00", "4.00"]
    assert third[1:4] == ["2024-03-03 02:00", "2024-03-03 03:30", "2 h 4 points"]
    links = [each["href"] for each in page.section("events") if each["tag"] == "a"]
    assert links == ["#event-1", "#event-1", "#event-2", "#event-2", "#event-3", "#event-3"]


def test_without_a_clock_rows_are_numbered():
    page = check(render_report(make_findings(make_series(clock=False))))
    assert rows_of(page)[0][1:5] == ["300", "329", "30 points", "300"]
    assert read_data(page)["clock"] is False
    assert "no clock" in page.one("header")["text"]


def test_channels_to_blame_are_named_with_their_shares():
    findings = make_findings(make_series(n_channels=5))
    blame = rows_of(Page(render_report(findings)))[0][7]
    shares = findings.events.shares[1]
    for channel in np.argsort(-shares)[:3]:
        assert f"c{channel}{shares[channel]:.0%}".replace("%", " %") in blame
    assert f"2 others: {1 - np.sort(shares)[-3:].sum():.0%}".replace("%", " %") in blame


def test_many_events_are_folded_away():
    spans = tuple((start, start + 3) for start in range(0, 600, 20))
    score = make_scores(600, spans, np.linspace(9, 4, len(spans)))
    page = check(render_report(make_findings(score=score, spans=spans)))
    assert len(rows_of(page)) == 24
    assert page.one("summary")["text"] == "The other 6 events"
    assert len([each for each in page.section("events") if each["tag"] == "figure"]) == 24


# ---- the other sections


def test_the_histogram_counts_what_lies_in_the_tail(findings, page):
    held, test = findings.calibration_scores, findings.scores.values[300:]
    said = page.one("section", id="scores")["text"]
    assert f"{(held > 3).sum()} of 200 calibration scores" in said
    assert f"{(test > 3).sum()} of 300 test scores" in said
    assert judged_scores(Scene(findings)).tolist() == test.tolist()


def test_training_is_told_and_its_best_epoch_marked(page):
    said = page.one("section", id="training")["text"]
    assert "12 epochs in 6 s (finished); the weights of epoch 12 are kept." in said
    assert said.count("kept: 12") == 3
    assert said.count("In nats per window: train from") == 3


def test_metrics_stand_beside_the_baselines_and_the_best_is_marked(page):
    cells = {each["text"]: each.get("class") for each in page.section("judged") if each["tag"] == "td"}
    assert cells == {"0.610": "number", "0.100": "number", "0.700": "number best"}
    heads = [each["text"] for each in page.section("judged") if each["tag"] == "th"]
    assert heads == ["metric", "VAE", "random score", "PCA of windows", "VUS-PR"]
    assert "At the thresholdF10.5" in page.one("section", id="judged")["text"]


def test_fewer_false_alarms_are_better_and_what_is_unknown_is_a_dash():
    metrics = {
        "vae": {"false_alarms": 2.0, "delay": np.nan},
        "random": {"false_alarms": 9.0, "delay": np.nan},
    }
    page = check(render_report(make_findings(evaluation=Report(metrics=metrics))))
    cells = [(each["text"], each.get("class")) for each in page.section("judged") if each["tag"] == "td"]
    assert cells == [("2", "number best"), ("9", "number"), ("\u2013", "number"), ("\u2013", "number")]


def test_repairs_settings_and_code_are_there(page):
    assert "2 stamps appear twice." in page.one("section", id="data")["text"]
    assert page.one("pre")["text"] == "import vaenb\nvaenb.VAEDetector()"
    assert "learning_rate0.001" in page.one("section", id="code")["text"]
    button = [each for each in page.all("button") if "data-copy" in each]
    assert len(button) == 1


def test_the_glossary_has_the_words_a_student_meets(page):
    words = [each["text"] for each in page.section("glossary") if each["tag"] == "dt"]
    assert {"Anomaly score", "Threshold", "Event", "ELBO", "KL divergence", "Latent space"} <= set(words)


def test_principal_axes_are_the_directions_of_the_largest_variance():
    rng = np.random.default_rng(5)
    turn, _ = np.linalg.qr(rng.normal(size=(5, 5)))
    latent = rng.normal(size=(400, 5)) * [9, 4, 1, 0.5, 0.1] @ turn + 3
    places, names = principal_axes(latent)
    _, sizes, directions = np.linalg.svd(latent - latent.mean(axis=0))
    expected = (latent - latent.mean(axis=0)) @ directions[:2].T
    assert np.abs(places) == pytest.approx(np.abs(expected), abs=1e-8)
    assert names[0] == f"principal axis 1 ({sizes[0] ** 2 / (sizes**2).sum():.0%} of the variance)".replace(
        "%", "\u202f%"
    )
    flat = rng.normal(size=(7, 2))
    assert principal_axes(flat) == (flat, ("latent dimension 1", "latent dimension 2"))
    assert principal_axes(flat[:, :1])[0].tolist() == [[value, 0.0] for value in flat[:, 0]]


def test_all_windows_above_the_threshold_are_among_the_dots():
    rng = np.random.default_rng(6)
    latent, scores = rng.normal(size=(50_000, 2)), rng.normal(size=50_000)
    latent[scores > 4, 0] = np.nan
    kept = latent_sample(latent, scores, 3.0)
    assert len(kept) == len(set(kept.tolist())) == 2_000
    assert set(np.flatnonzero((scores > 3) & (scores <= 4))) <= set(kept.tolist())
    assert np.isfinite(latent[kept]).all()


# ---- what is missing, and hard cases


def single_point():
    series = make_series(n=1, labels=False, train_end=1)
    return make_findings(
        series, np.array([1.0]), (), calibration_scores=None, latent=None, latent_scores=None
    )


def constant():
    series = make_series(values=np.full((600, 1), 7.0))
    return make_findings(series, np.full(600, 3.0), (), calibration_scores=np.full(50, 3.0))


def all_missing_channel():
    series = make_series(n_channels=2)
    series.values[:, 1] = np.nan
    return make_findings(series)


HARD = {
    "single point": single_point,
    "constant": constant,
    "a channel all missing": all_missing_channel,
    "no scores known": lambda: make_findings(
        score=np.full(600, np.nan), spans=(), calibration_scores=np.full(9, np.nan)
    ),
    "no events": lambda: make_findings(spans=()),
    "no labels": lambda: make_findings(make_series(labels=False), evaluation=None),
    "no clock": lambda: make_findings(make_series(clock=False)),
    "no test part": lambda: make_findings(make_series(train_end=600)),
    "nothing but scores": lambda: make_findings(
        history=None, evaluation=None, calibration_scores=None, latent=None, latent_scores=None, settings={}
    ),
    "no shares": lambda: make_findings(events=dataclasses.replace(make_findings().events, shares=None)),
    "an infinite threshold": lambda: make_findings(threshold=Threshold(threshold_=np.inf), spans=()),
    "one epoch": lambda: make_findings(history=make_history(1)),
    "no epoch": lambda: make_findings(history=make_history(0)),
    "a loss that diverged": lambda: make_findings(
        history=History(
            epochs=tuple(
                dataclasses.replace(
                    record, elbo=np.nan, calibration_elbo=np.inf, kl=1e308, calibration_kl=None
                )
                for record in make_history(3).epochs
            ),
            best_epoch=0,
            stopped="diverged",
        )
    ),
    "one latent dimension": lambda: make_findings(latent=np.zeros((200, 1))),
    "latents unknown": lambda: make_findings(latent=np.full((200, 3), np.nan)),
    "enormous scores": lambda: make_findings(score=make_scores() * 1e12),
    "enormous values": lambda: make_findings(make_series(values=np.linspace(-1e300, 1e300, 600)[:, None])),
    "negative scores": lambda: make_findings(score=make_scores() - 50, threshold=Threshold(threshold_=-47.0)),
    "sub-millisecond sampling": lambda: make_findings(
        make_series(
            interval=1e-4,
            index=np.datetime64("2024-01-01", "ns") + np.arange(600) * np.timedelta64(100, "us"),
        )
    ),
    "an event at either end": lambda: make_findings(spans=((0, 1), (599, 600))),
    "the whole series an event": lambda: make_findings(spans=((0, 600),)),
}


@pytest.mark.parametrize("case", HARD)
def test_hard_cases_give_a_sound_page(case):
    assert check(render_report(HARD[case]())).one("h1")["text"] == "pump"


@pytest.mark.parametrize(
    ("case", "missing"),
    [("no labels", {"judged"}), ("no epoch", {"training"}), ("nothing but scores", {"training", "judged"})],
)
def test_what_is_not_known_is_left_out(case, missing):
    page = Page(render_report(HARD[case]()))
    everything = {"series", "events", "scores", "training", "judged", "data", "code", "glossary"}
    assert {each["id"] for each in page.all("section")} == everything - missing


def test_no_event_is_said():
    page = Page(render_report(make_findings(spans=())))
    assert "No score stands above the threshold for long enough." in page.one("section", id="events")["text"]


# ---- findings and files


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"scores": wrap(np.zeros(599))}, "599 scores for 600 rows"),
        ({"events": make_events(np.zeros(700), ((640, 650),))}, "ends at row 650 of a series of 600 rows"),
        ({"latent": np.zeros((3, 2))}, "latent has 3 rows and latent_scores 200"),
        ({"latent": None}, "latent has 0 rows and latent_scores 200"),
    ],
)
def test_findings_that_do_not_fit_together_are_refused(changes, message):
    with pytest.raises(InputError, match=message):
        make_findings(**changes)


def test_the_public_door_writes_the_page_whole(tmp_path, findings):
    target = tmp_path / "report.html"
    target.write_text("before")
    vaenb.write_report(findings, str(target))
    assert target.read_text(encoding="utf-8") == render_report(findings)
    assert [each.name for each in tmp_path.iterdir()] == ["report.html"]


@pytest.mark.parametrize("name", ["missing/report.html", "folder", "file/report.html"])
def test_a_page_that_cannot_be_written_leaves_nothing_behind(tmp_path, findings, name):
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(OutputError, match=r"Cannot write .*(report\.html|folder)"):
        write_report(findings, tmp_path / name)
    assert sorted(each.name for each in tmp_path.rglob("*")) == ["file", "folder"]


def test_a_report_needs_neither_tensorflow_nor_pandas():
    code = "import sys, vaenb.report; print(*{m.split('.')[0] for m in sys.modules})"
    found = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.split()
    assert {"tensorflow", "keras", "pandas", "scipy", "matplotlib"}.isdisjoint(found)
    assert "numpy" in found
