"""Timestamps, however they are written."""

import numpy as np
import pandas as pd
import pytest

from vaenb import InputError
from vaenb.reading.dates import looks_like_dates, parse_times

STAMPS = pd.date_range("2024-01-30 22:15:30", periods=9, freq="6h")
EXPECTED = STAMPS.to_numpy().astype("datetime64[ns]")


def parse(values, name="t"):
    return parse_times(pd.Series(values, name=name), lambda row: f"line {row + 2}")


@pytest.mark.parametrize(
    "form",
    [
        "%Y-%m-%d %H:%M:%S",
        "%Y-%m-%dT%H:%M:%S",
        "%Y/%m/%d %H:%M:%S",
        "%d.%m.%Y %H:%M:%S",
        "%d/%m/%Y %H:%M:%S",
        "%m/%d/%Y %H:%M:%S",
        "%m/%d/%Y %I:%M:%S %p",
        "%d.%m.%y %H:%M:%S",
        "%d-%m-%Y %H.%M.%S",
        "%d-%b-%Y %H:%M:%S",
        "%d/%b/%Y:%H:%M:%S",
        "%b %d, %Y %H:%M:%S",
        "%d %B %Y %H:%M:%S",
        "%a %b %d %H:%M:%S %Y",
        "%Y%m%d%H%M%S",
        "%Y-%m-%d %H:%M:%S.%f",
        "%d.%m.%Y %H:%M:%S,%f",
    ],
)
def test_ways_to_write_a_date(form):
    found, notes = parse(STAMPS.strftime(form))
    np.testing.assert_array_equal(found, EXPECTED)
    assert (found.dtype, notes) == ("datetime64[ns]", ())


def test_compact_numbers():
    np.testing.assert_array_equal(
        parse([20240130, 20240131])[0], np.array(["2024-01-30", "2024-01-31"], "M8[ns]")
    )
    found, _ = parse([202401302215, 202401310415])
    np.testing.assert_array_equal(found, np.array(["2024-01-30T22:15", "2024-01-31T04:15"], "M8[ns]"))
    assert parse([20241399, 20241400])[0].dtype == np.int64


@pytest.mark.parametrize(("unit", "word"), [("s", "seconds"), ("ms", "milliseconds"), ("us", "microseconds")])
@pytest.mark.parametrize("kind", [np.int64, np.float64])
def test_epochs(unit, word, kind):
    found, notes = parse(EXPECTED.astype(f"datetime64[{unit}]").astype(np.int64).astype(kind))
    np.testing.assert_array_equal(found, EXPECTED)
    assert notes == (f"'t' is read as {word} since 1970",)


def test_running_numbers_stay_numbers():
    found, notes = parse([3.0, 4.0, 7.0])
    assert (found.tolist(), found.dtype, notes) == ([3, 4, 7], np.int64, ())
    assert parse([0.5, 0.75])[0].tolist() == [0.5, 0.75]


@pytest.mark.parametrize(
    ("texts", "expected", "word"),
    [
        (["03/04/2024", "04/04/2024", "05/04/2024"], "2024-04-03", "day"),
        (["03/04/2024", "03/05/2024", "03/06/2024"], "2024-03-04", "month"),
        (["03.04.2024", "04.05.2024"], "2024-04-03", "day"),
        (["03/04/2024", "04/05/2024"], "2024-03-04", "month"),
        (["11/12/2023", "12/12/2023", "01/01/2024", "02/01/2024"], "2023-11-12", "month"),
        ([f"01/{month:02}/{year}" for year in (2022, 2023) for month in range(1, 13)], "2022-01-01", "day"),
    ],
)
def test_dates_that_can_be_read_in_two_ways_are_told(texts, expected, word):
    found, notes = parse(texts)
    assert found[0] == np.datetime64(expected)
    assert notes == (
        f"dates such as {texts[0]} can be read in two ways: they are read with the {word} first",
    )


def test_time_zones_come_to_utc_and_are_told():
    """The hour that a clock in Berlin repeats is two hours in UTC."""
    berlin = pd.date_range("2024-10-26 22:00", periods=6, freq="h", tz="UTC").tz_convert("Europe/Berlin")
    expected = np.datetime64("2024-10-26T22:00") + np.arange(6) * np.timedelta64(1, "h")
    found, notes = parse(berlin)
    np.testing.assert_array_equal(found, expected)
    assert notes == ("timestamps are brought from Europe/Berlin to UTC",)
    found, notes = parse([stamp.isoformat() for stamp in berlin])
    np.testing.assert_array_equal(found, expected)
    assert notes == ("timestamps are brought to UTC",)
    np.testing.assert_array_equal(parse(berlin.strftime("%d/%b/%Y:%H:%M:%S %z"))[0], expected)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (["2024-01-01", "2024-01-02", "soon"], r"holds 'soon' in line 4, which cannot be read as a date"),
        (["2024-01-01", "2024-02-30", "2024-03-01"], r"holds '2024-02-30' in line 3"),
        (["gestern", "heute"], r"holds 'gestern' in line 2"),
        (["13/01/2024", "01/13/2024", "14/01/2024"], r"holds '01/13/2024' in line 3"),
        (["2024-01-01", None], r"Column 't' has no timestamp in line 3"),
        ([0.0, np.inf], r"holds an infinite number"),
        (["2024-01-01", "3024-01-01"], "3024-01-01"),
    ],
)
def test_what_is_no_date_is_refused(values, message):
    with pytest.raises(InputError, match=message):
        parse(values)


def test_looks_like_dates():
    assert looks_like_dates(pd.Series(["2024-01-01", None, "2024-01-02"]))
    for texts in (
        ["a", "b"],
        ["v1.2", "v1.3"],
        ["10.0.0.1", "10.0.0.2"],
        [None, None],
        ["1,5", "2,5"],
        ["sensor-12-3"],
    ):
        assert not looks_like_dates(pd.Series(texts, dtype=object))
