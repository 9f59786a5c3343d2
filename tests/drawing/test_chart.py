"""Charts in one call: what is drawn is read back from the SVG."""

import base64
import re

import numpy as np
import pytest

from vaenb.drawing.chart import chart
from vaenb.errors import InputError

WAVE = np.sin(np.arange(60) / 5)


def paths(svg, css):
    return re.findall(rf'<path class="[^"]*\b{css}\b[^"]*" d="([^"]*)"', svg)


def test_a_line_stands_where_its_values_are():
    drawn = chart({"a": [0.0, 1.0, 2.0]}, alt="Rising.")
    name, points = (found.split(" ") for found in paths(drawn.svg, "v-line"))
    assert len(name) == 1
    xs, ys = np.array([point.lstrip("M").split(",") for point in points], float).T
    assert xs[0] == 0
    assert np.allclose(np.diff(xs), xs[1])
    assert np.allclose(ys, 170 * (1 - (np.arange(3.0) + 0.1) / 2.2), atol=0.1)  # 5 % air on either side


def test_bands_levels_gaps_and_marks_are_drawn():
    holed = WAVE.copy()
    holed[20:25] = np.nan
    marks = np.zeros(60)
    marks[30:33] = 1
    marks[50] = 1
    drawn = chart(
        {"band": (WAVE - 1, WAVE + 1), "gappy": holed, "limit": 0.5}, {"below": WAVE}, marks=marks, alt="All."
    )
    assert paths(drawn.svg, "v-line")[1].count("M") == 2
    assert len(paths(drawn.svg, "v-threshold")) == 2  # in the key and in the pane
    assert [stripe.count("M") for stripe in paths(drawn.svg, "v-event")] == [2, 2]
    assert all(f">{name}</text>" in drawn.svg for name in ("band", "gappy", "limit", "below"))
    start, stop = (
        float(x) for x in re.match(r"M([\d.]+),0H([\d.]+)", paths(drawn.svg, "v-event")[0]).groups()
    )
    width = float(re.search(r'<svg class="v-pane[^>]* width="([\d.]+)"', drawn.svg)[1])
    assert np.allclose([start, stop], np.array([29.5, 32.5]) / 59 * width, atol=0.1)


def test_each_pane_has_marks_of_its_own():
    marks = np.zeros((2, 60))
    marks[1, 5:9] = 1
    assert len(paths(chart({"a": WAVE}, {"b": WAVE}, marks=marks, alt="Two.").svg, "v-event")) == 1


def test_dates_are_on_the_axis():
    days = np.datetime64("2024-03-01") + np.arange(60)
    assert "15 Apr" in chart({"a": WAVE}, x=days, alt="Two months.").svg


def test_a_date_at_the_left_end_is_not_cut_off():
    hours = np.datetime64("2024-03-18T00", "h") + np.arange(60)
    words = re.findall(
        r'x="([\d.]+)" y="[\d.]+" text-anchor="middle">([^<]+)', chart({"a": WAVE}, x=hours, alt="A.").svg
    )
    assert all(float(x) > 3.6 * len(label) for x, label in words)
    assert any("Mar 2024" in label for _, label in words)


def test_it_says_itself_in_words_and_as_an_image():
    drawn = chart({"a": WAVE}, alt='A "wave" & more.')
    assert repr(drawn) == 'Chart: A "wave" & more.'
    html = drawn._repr_html_()
    assert 'alt="A &quot;wave&quot; &amp; more."' in html
    image = base64.b64decode(re.search(r"base64,([^\"]+)", html)[1]).decode()
    assert image.startswith("<svg xmlns")
    assert 'A "wave" &amp; more.' in image.replace("&quot;", '"')


def test_a_long_line_is_thinned():
    drawn = chart({"a": np.random.default_rng(0).normal(size=100_000)}, alt="Noise.")
    assert len(drawn.svg) < 60_000


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: chart(alt="Nothing."), "at least one line"),
        (lambda: chart({"level": 1.0}, alt="No line."), "no line"),
        (lambda: chart({"a": WAVE, "b": WAVE[:5]}, alt="Two."), r"\[5, 60\] points"),
        (lambda: chart({"a": WAVE}, x=np.arange(3), alt="Short."), r"x has shape \(3,\); expected \(60,\)"),
        (lambda: chart({"a": WAVE}, marks=[0, 1], alt="Short."), r"marks has shape \(2,\); expected \(60,\)"),
    ],
)
def test_what_does_not_fit_is_refused(call, said):
    with pytest.raises(InputError, match=said):
        call()
