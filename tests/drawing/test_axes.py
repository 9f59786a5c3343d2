"""Ticks, scales and how numbers and times read: against what the labels say when read back."""

import math
import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vaenb.drawing.axes import Scale, limits, nice_step, number_ticks, share_ticks, time_ticks
from vaenb.formats import counted, duration, fixed, number, percent, stamp, step_name

UNITS = {"M": 1e6, "G": 1e9, "T": 1e12}
SUPERSCRIPTS = str.maketrans(
    "\u207b\u2070\u00b9\u00b2\u00b3\u2074\u2075\u2076\u2077\u2078\u2079", "-0123456789"
)
lows = st.floats(-1e9, 1e9).map(lambda value: float(f"{value:.6g}"))
spans = st.floats(-6, 9).map(lambda power: 10.0**power)


def read(label):
    """A label as the number that it says."""
    text = label.replace("\u2212", "-").replace(",", "")
    if "\u202f" in text:
        digits, unit = text.split("\u202f")
        return float(digits) * UNITS[unit]
    if "\u00d710" in text:
        digits, power = text.split("\u00d710")
        return float(f"{digits}e{power.translate(SUPERSCRIPTS)}")
    return float(text)


@settings(deadline=None)
@given(low=lows, span=spans, n=st.integers(2, 10))
def test_number_ticks_are_round_inside_and_say_what_they_are(low, span, n):
    high = low + span
    if high - low < 1e-9 * max(abs(low), abs(high)):
        return
    ticks = number_ticks(Scale(low, high), n)
    values = [tick.value for tick in ticks]
    assert 1 <= len(ticks) <= 2 * n + 1
    assert all(low <= value <= high for value in values)
    assert values == sorted(set(values))
    assert len({tick.label for tick in ticks}) == len(ticks)
    for tick in ticks:
        assert read(tick.label) == pytest.approx(tick.value, rel=1e-9, abs=1e-12 * span)
    if len(values) > 2:
        steps = np.diff(values)
        assert steps == pytest.approx(steps[0], rel=1e-3)
        mantissa = steps[0] / 10 ** math.floor(math.log10(steps[0]) + 1e-4)
        assert min(abs(mantissa - nice) for nice in (1, 2, 5)) < 0.01


@settings(deadline=None)
@given(low=lows, span=spans, share=st.floats(0, 1), width=st.floats(-6, 0), n=st.integers(2, 8))
def test_bent_ticks_stand_inside_and_say_what_they_are(low, span, share, width, n):
    scale = Scale(low, low + span, low + share * span, span * 10**width)
    if span < 1e-9 * abs(low):
        return
    ticks = number_ticks(scale, n)
    values = [tick.value for tick in ticks]
    assert values == sorted(set(values))
    assert all(scale.low <= value <= scale.high for value in values)
    assert len({tick.label for tick in ticks}) == len(ticks)
    for tick in ticks:
        assert read(tick.label) == pytest.approx(tick.value, rel=1e-6, abs=1e-9 * span)


@pytest.mark.parametrize(
    ("low", "high", "labels"),
    [
        (0, 31_000, ["0", "10,000", "20,000", "30,000"]),
        (-1, 1, ["\u22121.0", "\u22120.5", "0", "0.5", "1.0"]),
        (0, 2_400_000, ["0", "0.5\u202fM", "1.0\u202fM", "1.5\u202fM", "2.0\u202fM"]),
        (
            0,
            4e-5,
            [
                "0",
                "10\u00d710\u207b\u2076",
                "20\u00d710\u207b\u2076",
                "30\u00d710\u207b\u2076",
                "40\u00d710\u207b\u2076",
            ],
        ),
        (1_000_000, 1_000_000.4, [f"1,000,000.{digit}" for digit in range(5)]),
    ],
)
def test_number_labels(low, high, labels):
    assert [tick.label for tick in number_ticks(Scale(low, high), 4)] == labels


@pytest.mark.parametrize(("low", "high"), [(1e16, 1e16 + 4), (-1e300, 1e300), (5, 5 + 1e-15), (0, 5e-324)])
def test_number_ticks_end_for_hopeless_ranges(low, high):
    labels = [tick.label for tick in number_ticks(Scale(*limits([low, high])), 5)]
    assert 1 <= len(labels) == len(set(labels)) <= 11


@settings(deadline=None)
@given(rough=st.floats(-20, 20).map(lambda power: 10.0**power), n=st.integers(1, 12))
def test_nice_step_cuts_into_about_so_many(rough, n):
    assert n / 1.6 <= rough / nice_step(rough, n) <= n * 1.6


moments = st.integers(-3_000_000_000, 8_000_000_000).map(lambda second: np.datetime64(second * 10**9, "ns"))


@settings(deadline=None)
@given(start=moments, span=st.floats(-2, 9).map(lambda power: 10.0**power), n=st.integers(3, 9))
def test_time_ticks_stand_where_their_labels_say(start, span, n):
    stop = start + np.timedelta64(int(span * 1e9), "ns")
    found = time_ticks(start, stop, n)
    assert 1 <= len(found) <= 1.6 * n + 1
    assert all(start <= moment <= stop for moment, _ in found)
    said = [(tick.label, tick.context) for _, tick in found]
    assert len(set(said)) == len(said)
    for moment, tick in found:
        assert tick.value == pytest.approx((moment - start) / (stop - start), abs=1e-6)
        assert_says(tick, moment)


def assert_says(tick, moment):
    """The label is a part of what the standard library says of the same moment."""
    exact = moment.astype("datetime64[us]").item()
    day = f"{exact.day} {exact:%b}"
    if ":" in tick.label:
        assert f"{exact:%H:%M:%S.%f}".startswith(tick.label)
        assert tick.context == f"{day} {exact.year}"
    elif tick.label[:1].isdigit() and " " in tick.label:
        assert (tick.label, tick.context) == (day, str(exact.year))
        assert f"{exact:%H%M%S%f}" == "000000000000"
    else:
        assert tick.label in {f"{exact:%b} {exact.year}", str(exact.year)}
        assert tick.context == ""
        assert f"{exact:%d%H%M%S%f}" == "01000000000000"


@pytest.mark.parametrize(
    ("start", "stop", "labels"),
    [
        ("2014-07-15", "2014-12-02", ["Aug 2014", "Sep 2014", "Oct 2014", "Nov 2014", "Dec 2014"]),
        (
            "2014-07-01T05:00",
            "2014-07-01T11:00",
            ["05:00", "06:00", "07:00", "08:00", "09:00", "10:00", "11:00"],
        ),
        ("1995-06-01", "2024-01-01", ["2000", "2005", "2010", "2015", "2020"]),
        ("2014-12-20", "2015-02-01", ["22 Dec", "29 Dec", "5 Jan", "12 Jan", "19 Jan", "26 Jan"]),
        ("2014-07-01T00:00:00.1", "2014-07-01T00:00:00.42", ["00:00:00.10", "00:00:00.15"]),
    ],
)
def test_time_labels(start, stop, labels):
    found = time_ticks(np.datetime64(start, "ns"), np.datetime64(stop, "ns"), 5)
    assert [tick.label for _, tick in found][: len(labels)] == labels


def test_a_moment_has_one_tick():
    moment = np.datetime64("2014-12-20", "ns")
    assert [tick.value for _, tick in time_ticks(moment, moment)] == [0.0]


@settings(deadline=None)
@given(low=lows, span=spans, places=st.lists(st.floats(0, 1), min_size=1), width=st.floats(-3, 0))
def test_scales_go_there_and_back(low, span, places, width):
    if span < 1e-6 * abs(low):
        return
    for scale in (Scale(low, low + span), Scale(low, low + span, low + span / 3, span * 10**width)):
        values = scale.inverse(places)
        assert scale(values) == pytest.approx(places, abs=1e-5)
        assert scale([scale.low, scale.high]) == pytest.approx([0, 1])
        assert (np.diff(scale(np.linspace(low, low + span, 50))) >= 0).all()


def test_a_bent_scale_is_logarithmic_far_out():
    scale = Scale(0.0, 1e6, 0.0, 1.0)
    near, far = scale([1e3, 1e4]), scale([1e4, 1e5])
    assert np.diff(near) == pytest.approx(np.diff(far), rel=1e-3)


@pytest.mark.parametrize(
    ("arrays", "expected"),
    [
        ([[1.0, 3.0]], (1.0, 3.0)),
        ([[1.0, np.nan], [5.0, -np.inf]], (1.0, 5.0)),
        ([[7.0, 7.0]], (6.3, 7.7)),
        ([[0.0]], (-1.0, 1.0)),
        ([[np.nan], []], (0.0, 1.0)),
    ],
)
def test_limits(arrays, expected):
    assert limits(*arrays, pad=0.0) == pytest.approx(expected)


def test_limits_of_the_largest_floats_are_finite():
    low, high = limits([-1.7e308, 1.7e308])
    assert math.isfinite(high - low)
    assert Scale(low, high)([0.0]) == pytest.approx([0.5])


def test_shares_are_told_in_percent():
    found = {tick.value: tick.label for tick in share_ticks(Scale(-3.2, 0))}
    assert found == {-3: "0.1\u202f%", -2: "1\u202f%", -1: "10\u202f%", 0: "100\u202f%"}


@settings(deadline=None)
@given(value=st.floats(-1e300, 1e300), digits=st.integers(1, 6))
def test_numbers_read_back(value, digits):
    assert read(number(value, digits)) == pytest.approx(value, rel=0.51 * 10.0 ** (1 - digits), abs=1e-320)


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (12345.6, "12,346"),
        (-0.5, "\u22120.5"),
        (2.5e-7, "2.5\u00d710\u207b\u2077"),
        (0.0, "0"),
        (99.996, "100"),
        (1e12, "1\u00d710\u00b9\u00b2"),
    ],
)
def test_numbers(value, said):
    assert number(value) == said


@pytest.mark.parametrize(
    ("value", "said"), [(math.nan, "\u2013"), (math.inf, "\u221e"), (-math.inf, "\u2212\u221e")]
)
def test_what_is_no_number(value, said):
    assert number(value) == fixed(value, 2) == said


def test_columns_and_counts():
    assert [fixed(value, 2) for value in (1234.5, -0.5)] == ["1,234.50", "\u22120.50"]
    assert percent(0.0012) == "0.12\u202f%"
    assert [counted(1, "point"), counted(2000, "point")] == ["1 point", "2,000 points"]
    assert [step_name(60.0), step_name(1800.0), step_name(17.0), step_name(None)] == [
        "minutes",
        "half-hours",
        "points",
        "points",
    ]


@settings(deadline=None)
@given(seconds=st.floats(1e-4, 1e9))
def test_durations_add_up(seconds):
    sizes = {"d": 86_400, "h": 3_600, "min": 60, "s": 1, "ms": 1e-3}
    parts = re.findall(r"([\d,.]+) (d|h|min|s|ms)", duration(seconds))
    assert 1 <= len(parts) <= 2
    total = sum(float(amount.replace(",", "")) * sizes[unit] for amount, unit in parts)
    assert total == pytest.approx(seconds, rel=0.02)


@pytest.mark.parametrize(
    ("moment", "interval", "said"),
    [
        ("2015-01-27T01:30", 1800.0, "2015-01-27 01:30"),
        ("2015-01-27", 86_400.0, "2015-01-27"),
        ("2015-01-27T01:30:05", 5.0, "2015-01-27 01:30:05"),
        ("2015-01-27T01:30:05.25", 0.25, "2015-01-27 01:30:05.250"),
        ("NaT", 60.0, "\u2013"),
    ],
)
def test_stamps(moment, interval, said):
    assert stamp(np.datetime64(moment, "ns"), interval) == said


def test_a_row_without_a_clock_is_its_number():
    assert stamp(np.int64(12_345), None) == "12,345"
