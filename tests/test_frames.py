"""What was found as tables: each row where it belongs."""

import numpy as np
import pandas as pd
import pytest

import vaenb
from vaenb.frames import blamed, events_frame, on_index, scores_frame
from vaenb.records import Events


def series_out_of_order():
    times = pd.to_datetime(["2024-01-01 03:00", "2024-01-01 01:00", "2024-01-01 02:00", "2024-01-01 04:00"])
    return vaenb.read_series(pd.DataFrame({"value": [3.0, 1.0, 2.0, 4.0]}, index=times), train_end=2)


def events(**changes):
    found = {
        "start": np.array([1, 3]),
        "stop": np.array([3, 4]),
        "peak": np.array([2, 3]),
        "score": np.array([9.0, 7.0]),
        "severity": np.array([1.0, 0.5]),
        "shares": None,
    }
    return Events(**{**found, **changes})


def test_events_are_told_in_the_order_of_time_whatever_the_order_of_the_rows():
    found = events_frame(events(), series_out_of_order())
    hours = [[each.hour for each in found[name]] for name in ("start", "end", "peak")]
    assert hours == [[2, 4], [3, 4], [3, 4]]
    assert found["n_points"].tolist() == [2, 1]
    assert found["score"].tolist() == [9.0, 7.0]
    assert found["severity"].tolist() == [1.0, 0.5]
    assert found["channels"].tolist() == ["", ""]


def test_no_event_is_a_table_without_rows_but_with_columns():
    none = {name: getattr(events(), name)[:0] for name in ("start", "stop", "peak", "score", "severity")}
    found = events_frame(Events(**none), series_out_of_order())
    assert found.empty
    assert list(found) == ["start", "end", "peak", "n_points", "score", "severity", "channels"]


@pytest.mark.parametrize(
    ("shares", "told"),
    [
        ([1.0, 0, 0, 0, 0, 0], "a 100%"),
        ([0.05, 0.85, 0.1, 0, 0, 0], "b 85%, c 10%"),
        ([1 / 6] * 6, "a 17%, b 17%, c 17%, d 17%, e 17%"),
        ([0.5, 0.5, 0, 0, 0, 0], "a 50%, b 50%"),
    ],
)
def test_the_guiltiest_are_named_first_until_nine_tenths_are_told(shares, told):
    assert blamed(tuple("abcdef"), np.array(shares)) == told


def test_scores_keep_the_order_of_the_rows():
    found = scores_frame(series_out_of_order(), np.array([5.0, 1.0, 2.0, 3.0]), 2.0)
    assert list(found) == ["timestamp", "score", "flag"]
    assert [each.hour for each in found["timestamp"]] == [3, 1, 2, 4]
    assert found["flag"].tolist() == [1, 0, 0, 1]
    assert list(scores_frame(vaenb.read_series([1.0, 2.0, 3.0]), np.zeros(3), 1.0)) == [
        "index",
        "score",
        "flag",
    ]


def test_values_come_back_on_the_index_that_was_given():
    series, values = series_out_of_order(), np.arange(4.0)
    assert on_index(values, [1, 2, 3, 4], series, "score") is values
    frame = pd.DataFrame({"value": values}, index=list("wxyz"))
    assert on_index(values, frame, series, "score").index.tolist() == list("wxyz")
    assert on_index(values, frame["value"], series, "score").name == "score"
    np.testing.assert_array_equal(on_index(values, series, series, "score").index, series.index)
