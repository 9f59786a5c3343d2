"""SVG marks: against naive geometry, read back from the paths."""

import itertools
import re
from xml.etree import ElementTree as ET

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from vaenb.drawing.axes import Scale, Tick, number_ticks
from vaenb.drawing.svg import (
    RAMP_SIZE,
    Pane,
    band,
    dots,
    end_labels,
    frame,
    level,
    line,
    margin,
    picture,
    ramp_dots,
    ramp_key,
    shade,
    standalone,
    steps,
    style,
    upright,
    x_axis,
    y_axis,
)

SVG = "{http://www.w3.org/2000/svg}"
PANE = Pane(x=Scale(0, 10), y=Scale(0, 4), left=50, top=20, width=100, height=80)
values = hnp.arrays(
    float,
    st.integers(1, 400),
    elements=st.one_of(st.floats(-100, 100), st.just(float("nan"))),
)


def d_of(mark):
    return re.search(r' d="([^"]*)"', mark).group(1)


def runs_of(mark):
    """The points of each unbroken run of a line."""
    runs = d_of(mark).split("M")[1:]
    return [
        [tuple(map(float, point.split(","))) for point in run.removesuffix("h0").split(" ")] for run in runs
    ]


def corners(mark):
    """The corner points of a path of M, L, H and V commands, in order."""
    x = y = 0.0
    found = []
    for command, numbers in re.findall(r"([MLHV ])([-\d.,]+)", d_of(mark)):
        if command == "H":
            x = float(numbers)
        elif command == "V":
            y = float(numbers)
        else:
            x, y = map(float, numbers.split(","))
        found.append((x, y))
    return found


def area(points):
    """What a closed polygon encloses (the shoelace formula)."""
    x, y = np.array(points).T
    return abs(np.dot(x, np.roll(y, 1)) - np.dot(y, np.roll(x, 1))) / 2


def texts(svg):
    return re.findall(r"<text[^>]*>([^<]*)</text>", svg)


# ---- marks


@settings(deadline=None)
@given(values=values)
def test_a_line_goes_through_its_points_and_breaks_at_gaps(values):
    mark = line(PANE, np.arange(len(values)), values)
    known = ~np.isnan(values)
    if not known.any():
        assert mark == ""
        return
    runs = runs_of(mark)
    expected = [(10 * i, 80 * (1 - v / 4)) for i, v in enumerate(values) if not np.isnan(v)]
    assert np.concatenate(runs) == pytest.approx(np.array(expected), abs=0.051)
    begins = known & ~np.append(False, known[:-1])
    assert len(runs) == begins.sum()


def test_a_point_between_two_gaps_is_a_dot():
    assert d_of(line(PANE, [0, 1, 2, 3], [np.nan, 2.0, np.nan, np.inf])) == "M10,40h0"


def test_places_are_exact_to_one_point_in_a_million():
    pane = Pane(x=Scale(-0.5, 999_999.5), y=Scale(0, 1), left=0, top=0, width=900, height=100, inner=1e6)
    assert runs_of(line(pane, [0, 999_998, 999_999], [0, 0, 1]))[0] == [
        (0.5, 100),
        (999_998.5, 100),
        (999_999.5, 0),
    ]


def test_astronomical_values_stay_readable_numbers():
    assert all(abs(y) <= 1e5 for _, y in runs_of(line(PANE, [0, 1, 2], [1e300, -1e300, 1]))[0])


@settings(deadline=None)
@given(
    heights=hnp.arrays(
        float, st.sampled_from([1, 2, 5, 10, 20]), elements=st.one_of(st.floats(0, 4), st.just(float("nan")))
    )
)
def test_a_histogram_encloses_the_sum_of_its_bars(heights):
    edges = np.linspace(0, 10, len(heights) + 1)
    enclosed = area(corners(steps(PANE, edges, heights)))
    assert enclosed == pytest.approx(np.nansum(heights) * 80 / 4 * 100 / len(heights), abs=12)


@settings(deadline=None)
@given(
    lows=hnp.arrays(float, 11, elements=st.floats(0, 2)),
    heights=hnp.arrays(float, 11, elements=st.floats(0, 2)),
)
def test_a_band_encloses_what_lies_between(lows, heights):
    enclosed = area(corners(band(PANE, np.arange(11), lows, lows + heights)))
    trapezia = (heights[1:] + heights[:-1]) / 2 * 10 * 80 / 4
    assert enclosed == pytest.approx(trapezia.sum(), abs=12)


def test_events_are_stripes_over_the_whole_height():
    assert d_of(shade(PANE, [1, 5], [2, 8])) == "M10,0H20V80H10ZM50,0H80V80H50Z"
    assert shade(PANE, [], []) == ""


@pytest.mark.parametrize(("value", "d"), [(1.0, "M0,60.0H100"), (4.0, "M0,0.0H100")])
def test_a_threshold_is_a_level_line(value, d):
    assert d_of(level(PANE, value)) == d


@pytest.mark.parametrize("value", [4.1, -0.1, np.inf, np.nan])
def test_a_threshold_out_of_sight_is_not_drawn(value):
    assert level(PANE, value) == ""


def test_an_upright_line():
    assert d_of(upright(PANE, 3)) == "M30,0V80"


def test_dots_stand_where_their_values_say():
    assert d_of(dots(PANE, [0, 10], [0, 4])) == "M0,80h0M100,0h0"


@settings(deadline=None)
@given(places=hnp.arrays(float, st.integers(0, 60), elements=st.floats(-0.5, 1.5)))
def test_coloured_dots_are_all_there_and_the_highest_on_top(places):
    drawn = ramp_dots(PANE, np.arange(len(places)) / 10, np.full(len(places), 2.0), places)
    assert drawn.count("h0") == len(places)
    shades = [int(found) for found in re.findall(r"v-ramp(\d+)", drawn)]
    assert shades == sorted(set(shades))
    if len(places):
        assert shades[-1] == round(float(np.clip(places.max(), 0, 1)) * 9)


def test_the_key_of_colours_has_the_highest_on_top():
    key = ET.fromstring(f"<g>{ramp_key(0, 10, 100)}</g>")
    tops = {int(each.get("class")[6:8]): float(each.get("y")) for each in key}
    assert tops == {shade: 10 + 10 * (9 - shade) for shade in range(RAMP_SIZE)}


# ---- axes and frames


def test_a_pane_is_cut_off_at_its_edges_and_at_a_threshold():
    whole = ET.fromstring(frame(PANE, "<path/>"))
    above = ET.fromstring(frame(PANE, "<path/>", down_to=3.0))
    assert (whole.get("viewBox"), whole.get("height"), whole.get("y")) == ("0 0 100 80", "80", "20")
    assert (above.get("viewBox"), above.get("height"), above.get("y")) == ("0 0 100 20", "20", "20")
    assert frame(PANE, "<path/>", down_to=4.5) == ""


@settings(deadline=None)
@given(
    ticks=st.lists(
        st.builds(
            Tick, st.floats(0, 10), st.text("abc 0", min_size=1, max_size=12), st.sampled_from(["", "2014"])
        ),
        max_size=20,
    )
)
def test_labels_under_an_axis_never_touch(ticks):
    drawn = x_axis(PANE, sorted(ticks, key=lambda tick: tick.value))
    rows = {}
    for x, y, text in re.findall(r'<text[^>]*x="([\d.]+)" y="([\d.]+)"[^>]*>([^<]*)<', drawn):
        rows.setdefault(y, []).append((float(x) - 3.5 * len(text), float(x) + 3.5 * len(text)))
    for row in rows.values():
        assert all(end < begin for (_, end), (begin, _) in itertools.pairwise(row))
    assert len(re.findall(r"v5", drawn)) == len(ticks)


def test_a_context_is_told_once_until_it_changes():
    pane = Pane(x=Scale(0, 4), y=Scale(0, 1), left=0, top=0, width=400, height=50)
    ticks = [Tick(i, f"{6 * i:02}:00", "3 Sep" if i < 3 else "4 Sep") for i in range(5)]
    assert texts(x_axis(pane, ticks)) == ["00:00", "3 Sep", "06:00", "12:00", "18:00", "4 Sep", "24:00"]


def test_an_upright_axis_has_a_line_and_a_label_for_each_tick():
    ticks = number_ticks(PANE.y, 4)
    drawn = y_axis(PANE, ticks)
    assert texts(drawn) == ["0", "1", "2", "3", "4"]
    assert [float(y) for y in re.findall(r"M50,([\d.]+)H150", drawn)] == [100, 80, 60, 40, 20]
    assert margin(ticks, [Tick(0, "1,000,000")]) > margin(ticks)


@settings(deadline=None)
@given(ends=st.lists(st.floats(0, 4), min_size=1, max_size=5))
def test_names_at_the_ends_of_lines_keep_their_distance_and_order(ends):
    drawn = end_labels(PANE, [(value, f"{value!r}", "") for value in ends])
    places = [float(y) for y in re.findall(r' y="([\d.-]+)"', drawn)]
    assert [float(text) for text in texts(drawn)] == sorted(ends, reverse=True)
    assert all(gap >= 14.8 for gap in np.diff(places))
    assert max(places) <= PANE.bottom + 4.1


# ---- whole pictures


def test_a_picture_has_alternative_text_and_is_well_formed():
    marks = frame(PANE, line(PANE, [0, 10], [0, 4])), y_axis(PANE, number_ticks(PANE.y, 4))
    svg = picture("a <b>", *marks, width=200, height=120, title='Heat & "dust" <x>', desc="It <rises>.")
    root = ET.fromstring(standalone(svg))
    assert (root.tag, root.get("role"), root.get("viewBox")) == (f"{SVG}svg", "img", "0 0 200 120")
    named = {each.get("id"): each.text for each in root.iter() if each.get("id")}
    assert [named[ident] for ident in root.get("aria-labelledby").split()] == [
        'Heat & "dust" <x>',
        "It <rises>.",
    ]
    assert root.find(f"{SVG}style").text == style()


def test_words_are_escaped_everywhere():
    bad = "<script>alert(1)</script>"
    drawn = [
        x_axis(PANE, [Tick(1, bad, bad)], title=bad),
        y_axis(PANE, [Tick(1, bad)]),
        end_labels(PANE, [(1.0, bad, "")]),
        picture(bad, width=1, height=1, title=bad, desc=bad),
    ]
    assert "<script" not in "".join(drawn)
    assert "".join(drawn).count("&lt;script&gt;") == 7


def luminance(colour):
    share = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in share]
    return np.dot(linear, [0.2126, 0.7152, 0.0722])


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_colours_stand_out_from_the_page(theme):
    """WCAG 2.1: words need a contrast of 4.5 with what is behind them, lines one of 3."""
    light, dark = style().split("@media screen")
    colours = dict(re.findall(r"--v-(\w+): (#\w{6})", light if theme == "light" else dark))
    paper = luminance(colours["paper"])
    contrast = {
        name: (max(luminance(colour), paper) + 0.05) / (min(luminance(colour), paper) + 0.05)
        for name, colour in colours.items()
    }
    assert {n: c for n, c in contrast.items() if n in WORDS and c < 4.5} == {}
    ramp = [contrast[f"ramp{shade}"] for shade in range(RAMP_SIZE)]
    assert ramp == sorted(ramp)
    assert ramp[0] > 1.5


WORDS = {"ink", "muted", "faint", "data", "score", "alarm", "label", "held"}


def test_every_class_that_is_drawn_has_a_style():
    drawn = [
        frame(PANE, line(PANE, [0], [0]), dots(PANE, [0], [0]), shade(PANE, [0], [1]), level(PANE, 1)),
        frame(PANE, upright(PANE, 1), steps(PANE, [0, 1], [1]), band(PANE, [0, 1], [0, 0], [1, 1])),
        ramp_key(0, 0, 10),
        x_axis(PANE, [Tick(1, "a", "b")], title="t"),
        y_axis(PANE, [Tick(1, "a")]),
    ]
    used = set(" ".join(re.findall(r'class="([^"]*)"', "".join(drawn))).split())
    styled = set(re.findall(r"\.(v-\w+)", style()))
    assert used - styled == {"v-pane", "v-ticks"}
