"""A second set of labels, from arrays and from files."""

import numpy as np
import pandas as pd
import pytest

import vaenb
from vaenb.errors import InputError
from vaenb.view_models.second_labels import read_second_labels
from vaenb.view_models.timeline import Timeline

CLOCK = pd.date_range("2024-01-01", periods=100, freq="h")


def dated(index=CLOCK):
    return vaenb.read_series(pd.DataFrame({"value": np.sin(np.arange(len(index)))}, index=index))


def counted(n=100, step=1):
    return vaenb.read_series(
        pd.DataFrame({"index": np.arange(0, n * step, step), "value": np.sin(np.arange(n))})
    )


def read(source, series):
    return np.flatnonzero(read_second_labels(source, series, Timeline.of(series))).tolist()


def write(path, text):
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize("kind", [list, np.array, tuple, pd.Series])
def test_an_array_with_a_value_for_each_row(kind):
    assert read(kind([0] * 98 + [1, 0]), dated()) == [98]


def test_rows_are_brought_onto_the_cells():
    series = dated(CLOCK.delete(range(10, 20)))
    rows = np.zeros(90, dtype=bool)
    rows[[9, 10]] = True
    assert read(rows, series) == [9, 20]
    cells = np.zeros(100)
    cells[15] = 1
    assert read(cells, series) == [15], "or one for each cell"


@pytest.mark.parametrize(
    ("labels", "words"),
    [
        (np.zeros(7), "holds 7 values and the series has 100 rows"),
        (np.full(100, 2), "holds 2 at position 0"),
        (np.zeros((100, 2)), "has shape"),
    ],
)
def test_an_array_of_something_else_is_refused(labels, words):
    with pytest.raises(InputError, match=words):
        read(labels, dated())


def test_stretches_of_a_file_have_both_ends_in_them(tmp_path):
    path = write(tmp_path / "w.csv", "start,end\n2024-01-01 02:00,2024-01-01 04:00\n2024-01-02,2024-01-02\n")
    assert read(path, dated()) == [2, 3, 4, 24]
    assert read(str(path), dated()) == [2, 3, 4, 24]


@pytest.mark.parametrize("head", ["Start;Stop", "start;end", " START ;END"])
def test_names_and_separators_may_differ(tmp_path, head):
    path = write(tmp_path / "w.csv", f"{head}\n2024-01-01 02:00;2024-01-01 03:00\n")
    assert read(path, dated()) == [2, 3]


def test_the_file_of_verdicts_is_no_trap_and_overlaps_count_once(tmp_path):
    path = write(tmp_path / "w.csv", "start,end,who\n3,6,Ada\n5,8,Bob\n")
    assert read(path, counted()) == [3, 4, 5, 6, 7, 8]
    assert read(path, counted(50, step=2)) == [2, 3, 4]


def test_what_lies_outside_is_passed_over_and_what_sticks_out_is_cut(tmp_path):
    path = write(tmp_path / "w.csv", "start,end\n-20,2\n97,300\n500,600\n")
    assert read(path, counted()) == [0, 1, 2, 97, 98, 99]


@pytest.mark.parametrize("column", ["label", "is_anomaly", "x"])
def test_a_column_of_marks_with_a_line_for_each_row(tmp_path, column):
    marks = ["0"] * 100
    marks[40] = "1"
    path = write(tmp_path / "w.csv", "\n".join([column, *marks]) + "\n")
    assert read(path, counted()) == [40]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("start,end\n5,3\n", "the stretch in line 2 ends before it starts"),
        ("start,end\n500,600\n", "none of its 1 stretches lies in the series"),
        ("start,end\n1,2\nx,3\n", "start in line 3 is 'x'; expected a number"),
        ("time,value\n1,2\n2,5\n", "has the columns 'time', 'value'; expected start and end"),
        ("label\n0\n1\n", "holds 2 values and the series has 100 rows"),
    ],
)
def test_a_file_of_something_else_is_refused(tmp_path, text, words):
    with pytest.raises(InputError, match=words):
        read(write(tmp_path / "w.csv", text), counted())


def test_numbers_are_no_dates(tmp_path):
    path = write(tmp_path / "w.csv", "start,end\n5,7\n")
    with pytest.raises(
        InputError, match="start in line 2 is '5'; expected a date, as the series has a clock"
    ):
        read(path, dated())


def test_a_file_that_is_not_there_is_said(tmp_path):
    with pytest.raises(InputError, match="There is no file"):
        read(tmp_path / "nowhere.csv", dated())
