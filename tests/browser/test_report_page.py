"""The report in a real Chromium: nothing fetched, nothing thrown, zooming and reading out work."""

import re
from dataclasses import replace

import numpy as np
import pytest

import vaenb
from vaenb.report import Findings, write_report


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    """A report on taxi rides, with the distance from the weekly median as its score."""
    series = vaenb.load_dataset("nyc_taxi")
    week = np.arange(len(series)) % 336
    usual = np.array(
        [np.median(series.values[: series.train_end][week[: series.train_end] == i]) for i in range(336)]
    )
    score = np.abs(series.values[:, 0] - usual[week])
    rule = vaenb.POT().fit(score[4000 : series.train_end], window_size=48, points_per_day=48)
    scores = vaenb.Scores(
        values=score,
        method="distance",
        window_size=48,
        window_values=score,
        window_starts=np.arange(len(score)),
    )
    events = vaenb.find_events(score, rule.threshold_, merge_gap=48, normal=score[4000 : series.train_end])
    findings = Findings(
        series=replace(series, name="<script>alert(1)</script>"),
        scores=scores,
        threshold=rule,
        events=events,
        code="import vaenb",
    )
    path = tmp_path_factory.mktemp("report") / "report.html"
    write_report(findings, path)
    return path


@pytest.fixture
def page(browser, report):
    opened = browser.new_page(viewport={"width": 1280, "height": 900})
    opened.wrong, opened.asked = [], []
    opened.on("pageerror", lambda error: opened.wrong.append(str(error)))
    opened.on("console", lambda said: opened.wrong.append(said.text) if said.type == "error" else None)
    opened.on("request", lambda request: opened.asked.append(request.url))
    opened.goto(report.as_uri())
    yield opened
    opened.close()


def test_nothing_is_fetched_and_nothing_goes_wrong(page, report):
    assert page.asked == [report.as_uri()]
    assert page.wrong == []
    assert page.locator("h1").inner_text() == "<script>alert(1)</script>"


@pytest.mark.parametrize("width", [1280, 800])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_fits_the_screen_in_both_themes(page, width, scheme):
    page.set_viewport_size({"width": width, "height": 900})
    page.emulate_media(color_scheme=scheme)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    ink = page.evaluate("getComputedStyle(document.body).color")
    brightness = sum(int(part) for part in re.findall(r"\d+", ink)[:3]) / 3
    assert brightness < 100 if scheme == "light" else brightness > 155


def test_zooming_changes_the_ticks_and_comes_back(page):
    ticks = page.locator("#overview .v-ticks")
    whole = ticks.inner_html()
    page.get_by_role("button", name="Zoom in").click()
    assert ticks.inner_html() != whole
    page.get_by_role("button", name="Whole series").click()
    assert page.locator("#overview .v-ticks text").all_inner_texts()
    assert page.wrong == []


def test_pointing_reads_the_value_out(page):
    page.locator("#overview").hover()
    said = page.locator(".tools output").inner_text()
    assert "201" in said  # a year: the place is told
    assert page.wrong == []
