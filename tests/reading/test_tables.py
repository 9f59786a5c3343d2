"""Files into tables: separators, decimal marks, encodings, compression, and what is refused."""

import gzip

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from vaenb import InputError, read_series

ROWS = 40
VALUES = np.round(np.sin(np.arange(ROWS) / 3) * 10, 2)


def lines(separator, *, decimal=".", header=("timestamp", "value"), end="\n"):
    stamps = pd.date_range("2024-01-01", periods=ROWS, freq="h").astype(str)
    rows = [separator.join(header)] if header else []
    rows += [
        separator.join([stamp, str(value).replace(".", decimal)])
        for stamp, value in zip(stamps, VALUES, strict=True)
    ]
    return end.join(rows) + end


@pytest.mark.parametrize("separator", [",", ";", "\t", "|", ", "])
def test_separators(tmp_path, separator):
    (tmp_path / "a.csv").write_text(lines(separator))
    series = read_series(tmp_path / "a.csv")
    np.testing.assert_array_equal(series.values[:, 0], VALUES)
    assert (series.name, series.channels, series.interval) == ("a", ("value",), 3600.0)
    assert series.repairs == ()


@pytest.mark.parametrize("separator", [";", "\t"])
def test_decimal_comma(tmp_path, separator):
    (tmp_path / "a.csv").write_text(lines(separator, decimal=","))
    np.testing.assert_array_equal(read_series(tmp_path / "a.csv").values[:, 0], VALUES)


def test_quoted_decimal_comma_between_commas(tmp_path):
    rows = "\n".join(f'{i},"{str(value).replace(".", ",")}"' for i, value in enumerate(VALUES))
    (tmp_path / "a.csv").write_text("index,value\n" + rows)
    np.testing.assert_array_equal(read_series(tmp_path / "a.csv").values[:, 0], VALUES)


def test_header_with_commas_between_semicolons(tmp_path):
    text = lines(";", decimal=",", header=("time, UTC", "value, in C"))
    (tmp_path / "a.csv").write_text(text)
    assert read_series(tmp_path / "a.csv").channels == ("value, in C",)


@pytest.mark.parametrize(
    ("written", "expected"),
    [("1.234,5", 1234.5), ("12.345.678,25", 12345678.25), ("1e-3", 1e-3), ("-2", -2.0), ("+3,5", 3.5)],
)
def test_continental_numbers(tmp_path, written, expected):
    (tmp_path / "a.csv").write_text("index;value\n0;0,5\n1;1,5\n2;" + written + "\n3;2,5\n")
    assert read_series(tmp_path / "a.csv").values[2, 0] == expected


def test_thousands_separators_are_told(tmp_path):
    (tmp_path / "a.csv").write_text('index,value\n0,"1,234.5"\n1,"12,000"\n2,"7"\n')
    series = read_series(tmp_path / "a.csv")
    np.testing.assert_array_equal(series.values[:, 0], [1234.5, 12000.0, 7.0])
    assert "'value': commas are read as thousands separators, as in 1,234.5" in series.repairs


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "latin-1"])
def test_encodings(tmp_path, encoding):
    text = lines(";", header=("Zeit", "Wärme °C"))
    (tmp_path / "a.csv").write_bytes(text.encode(encoding))
    series = read_series(tmp_path / "a.csv")
    assert series.channels == ("Wärme °C",)
    told = ["the file is not UTF-8: it is read as Latin-1"] if encoding == "latin-1" else []
    assert list(series.repairs) == told


def test_latin_1_far_into_the_file(tmp_path):
    rows = "".join(f"{i},{i % 7},ok\n" for i in range(60_000))
    (tmp_path / "a.csv").write_bytes(("index,value,note\n" + rows + "60000,3,größer\n").encode("latin-1"))
    series = read_series(tmp_path / "a.csv")
    assert len(series) == 60_001
    assert "the file is not UTF-8: it is read as Latin-1" in series.repairs


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_line_ends(tmp_path, end):
    (tmp_path / "a.csv").write_bytes(lines(",", end=end).encode())
    assert len(read_series(tmp_path / "a.csv")) == ROWS


@pytest.mark.parametrize("name", ["a.csv.gz", "a.csv"])
def test_gzip_is_told_by_its_content(tmp_path, name):
    (tmp_path / name).write_bytes(gzip.compress(lines(",").encode()))
    series = read_series(str(tmp_path / name))
    assert (series.name, len(series)) == ("a", ROWS)


def test_parquet(tmp_path):
    stamps = pd.date_range("2024-01-01", periods=ROWS, freq="h")
    pd.DataFrame({"value": VALUES}, index=stamps.rename("when")).to_parquet(tmp_path / "a.parquet")
    series = read_series(tmp_path / "a.parquet")
    np.testing.assert_array_equal(series.index, stamps.to_numpy())
    assert (series.index_name, series.channels, series.index.dtype) == ("when", ("value",), "datetime64[ns]")


def test_missing_markers(tmp_path):
    marks = ["", "NA", "NaN", "null", "?", "-", "n/a"]
    (tmp_path / "a.csv").write_text(
        "index,value\n" + "".join(f"{i},{m}\n" for i, m in enumerate([1, *marks, 2]))
    )
    found = read_series(tmp_path / "a.csv").values[:, 0]
    np.testing.assert_array_equal(found, [1, *[np.nan] * len(marks), 2])


def test_an_empty_line_in_a_single_column_is_a_missing_value(tmp_path):
    (tmp_path / "a.txt").write_text("value\n1,5\n2\n\n4\n\n\n")
    np.testing.assert_array_equal(read_series(tmp_path / "a.txt").values[:, 0], [1.5, 2, np.nan, 4])


def test_no_header(tmp_path):
    (tmp_path / "a.csv").write_text(lines(",", header=()))
    series = read_series(tmp_path / "a.csv")
    assert (len(series), series.channels, series.interval) == (ROWS, ("v1",), 3600.0)
    assert "the first line holds values, not names: the columns are named v0, v1" in series.repairs
    (tmp_path / "b.txt").write_text("\n".join(map(str, VALUES)))
    assert read_series(tmp_path / "b.txt").values.shape == (ROWS, 1)


def test_a_header_that_counts_columns_is_a_header(tmp_path):
    frame = pd.DataFrame(np.random.default_rng(0).normal(size=(30, 3)))
    for index in (True, False):
        frame.to_csv(tmp_path / "a.csv", index=index)
        series = read_series(tmp_path / "a.csv")
        np.testing.assert_allclose(series.values, frame.to_numpy())
        assert series.channels == ("0", "1", "2")


def test_what_spreadsheets_leave_behind(tmp_path):
    """A hint to Excel, a trailing separator on each line, empty lines at the end, dates and times apart."""
    rows = ["10/03/2004;18.00.00;2,6;", "10/03/2004;19.00.00;2;", "11/03/2004;00.00.00;2,2;", ";;;", ";;;"]
    text = "\n".join(["sep=;", "Date;Time;CO;", *rows])
    (tmp_path / "a.csv").write_text(text)
    series = read_series(tmp_path / "a.csv")
    assert [str(stamp)[:13] for stamp in series.index] == ["2004-03-10T18", "2004-03-10T19", "2004-03-11T00"]
    np.testing.assert_array_equal(series.values[:, 0], [2.6, 2, 2.2])
    assert series.repairs[0] == (
        "dates such as 10/03/2004 18:00:00 can be read in two ways: they are read with the day first"
    )


@pytest.mark.parametrize(
    "header", ["# made by a pump\n# when,flow\n", "# made by a pump\nwhen,flow\n", "#when,flow\n"]
)
def test_comments_before_the_table(tmp_path, header):
    (tmp_path / "a.csv").write_text(header + "0,2.5\n1,3.5\n2,oops\n")
    with pytest.raises(InputError, match=f"Column 'flow' holds 'oops' in line {header.count(chr(10)) + 3};"):
        read_series(tmp_path / "a.csv", values="flow")
    assert read_series(tmp_path / "a.csv", values="when").channels == ("when",)


def test_columns_between_blanks(tmp_path):
    values = np.random.default_rng(0).normal(size=(30, 3))
    np.savetxt(tmp_path / "a.txt", values)
    np.testing.assert_allclose(read_series(tmp_path / "a.txt").values, values)
    np.savetxt(tmp_path / "b.txt", values, header="x y z", comments="")
    assert read_series(tmp_path / "b.txt").channels == ("x", "y", "z")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty; expected a table"),
        (b"\n \n", "is empty; expected a table"),
        (b"timestamp,value\n", "has a header and no rows"),
        (b"timestamp,value\n,\n,\n", "has a header and no rows"),
        (b"\x00\x01\x02\x03" * 50, "is not a text file"),
        (bytes(range(1, 256)) * 20, "is not a text file"),
        (b'{"a": [1, 2]}', "is JSON, HTML or the like"),
        (b"<html><table></table></html>", "is JSON, HTML or the like"),
        (b"PK\x03\x04 and more", "is a zip or Excel file"),
        (b"PAR1 and nothing else", "is a damaged Parquet file"),
        (gzip.compress(b"index,value\n" + b"1,2\n" * 5000, mtime=0)[:-20], "is a damaged gzip file"),
        (b"\x1f\x8b\x08 no gzip at all, whatever it says", "is a damaged gzip file"),
        (b"index,value\n0,1\n1,2,3\n2,3\n", "line 3 has 3 fields; expected 2"),
        (b"value,other\n1,2,3\n1,2,3\n", "have more fields than its header"),
    ],
)
def test_what_is_no_table(tmp_path, content, message):
    (tmp_path / "a.csv").write_bytes(content)
    with pytest.raises(InputError, match=message):
        read_series(tmp_path / "a.csv")


def test_no_such_file_and_a_folder(tmp_path):
    with pytest.raises(InputError, match=r"There is no file .*a\.csv: check"):
        read_series(tmp_path / "a.csv")
    with pytest.raises(InputError, match="is a folder"):
        read_series(tmp_path)


def test_a_damaged_parquet_file(tmp_path):
    pd.DataFrame({"value": VALUES}).to_parquet(tmp_path / "a.parquet")
    whole = (tmp_path / "a.parquet").read_bytes()
    (tmp_path / "a.parquet").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(InputError, match="is a damaged Parquet file"):
        read_series(tmp_path / "a.parquet")


def test_a_parquet_file_in_which_the_notes_of_pandas_are_damaged(tmp_path):
    table = pa.Table.from_pandas(pd.DataFrame({"value": VALUES}))
    notes = table.schema.metadata[b"pandas"]
    assert b'"kind"' in notes
    damaged = table.replace_schema_metadata({b"pandas": notes.replace(b'"kind"', b'"kin!"')})
    pq.write_table(damaged, tmp_path / "a.parquet")
    with pytest.raises(InputError, match=r"is a damaged Parquet file \('kind'\): write or copy it again"):
        read_series(tmp_path / "a.parquet")


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("index,value\n0,1\n1,2\n2,oops\n3,4\n", 4),
        ("\n\nindex,value\n0,1\n\n1,2\n2,oops\n3,4\n", 7),
        ("0,1\n1,2\n2,oops\n3,4\n", 3),
        ("value\n1\n\n2\noops\n3\n", 5),
    ],
)
def test_the_line_is_the_line_in_the_file(tmp_path, text, line):
    (tmp_path / "a.csv").write_text(text)
    with pytest.raises(InputError, match=rf"holds 'oops' in line {line}; expected a number"):
        read_series(tmp_path / "a.csv")
    (tmp_path / "b.csv.gz").write_bytes(gzip.compress(text.encode()))
    with pytest.raises(InputError, match=f"in line {line};"):
        read_series(tmp_path / "b.csv.gz")
