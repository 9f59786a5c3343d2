"""The line that reads a series, with what was found named: run, it must give the very same series."""

import gzip

import numpy as np
import pandas as pd
import pytest

import vaenb
from vaenb.reading.naming import read_code
from vaenb.study_source import same_series


def frame(n=60, n_channels=2):
    rng = np.random.default_rng(0)
    found = {"when": pd.date_range("2024-01-01", periods=n, freq="h")}
    return pd.DataFrame(found | {f"channel_{i}": rng.normal(size=n) for i in range(n_channels)})


def check(path, *, names=(), without=()):
    series = vaenb.read_series(path)
    code = read_code(series, str(path))
    found = {}
    exec("import vaenb\n" + code, found)
    assert same_series(found["series"], series)
    assert max(map(len, code.splitlines())) <= 88 + len(str(path))
    assert all(name in code for name in names)
    assert not any(name in code for name in without)


def test_dates_and_channels(tmp_path):
    frame().to_csv(tmp_path / "it's.csv", index=False)
    check(tmp_path / "it's.csv", names=["time='when'", "values=['channel_0', 'channel_1']"])


@pytest.mark.parametrize("separator", [";", "\t"])
def test_other_separators_and_gzip(tmp_path, separator):
    with gzip.open(tmp_path / "x.csv.gz", "wt") as file:
        frame().to_csv(file, index=False, sep=separator)
    check(tmp_path / "x.csv.gz", names=["time='when'"])


def test_parquet_with_labels(tmp_path):
    frame().assign(is_anomaly=[0] * 55 + [1] * 5).to_parquet(tmp_path / "x.parquet")
    check(tmp_path / "x.parquet", names=["time='when'"], without=["is_anomaly"])


def test_no_time_axis(tmp_path):
    frame()[["channel_0"]].to_csv(tmp_path / "x.csv", index=False)
    check(tmp_path / "x.csv", names=["values=['channel_0']"], without=["time="])


def test_a_date_and_a_clock_are_no_single_column(tmp_path):
    both = frame()
    both.insert(0, "date", both.when.dt.strftime("%Y-%m-%d"))
    both.insert(1, "time", both.when.dt.strftime("%H:%M"))
    both.drop(columns="when").to_csv(tmp_path / "x.csv", index=False)
    check(tmp_path / "x.csv")


def test_many_channels_stand_in_lines(tmp_path):
    frame(n_channels=40).to_csv(tmp_path / "x.csv", index=False)
    check(tmp_path / "x.csv", names=["'channel_39'"])


def test_a_file_that_is_gone_is_no_error():
    series = vaenb.read_series(np.sin(np.arange(50.0)))
    assert read_code(series, "gone.csv") == "series = vaenb.read_series('gone.csv', values=['value'])"
