"""One series larger than memory; what is small here is large there: the parts are made small."""

import gzip
import threading

import numpy as np
import pandas as pd
import pytest

import vaenb
from vaenb import fleet
from vaenb.errors import InputError
from vaenb.fleet import large, sample
from vaenb.reading.pieces import PiecesOf

BRIEF = {"epochs": 2, "steps_per_epoch": 20, "window_size": 16, "hidden": (16,)}
N = 9_000


@pytest.fixture(autouse=True)
def small(monkeypatch):
    """Parts of 1,000 rows, and a sample of four blocks of 512."""
    monkeypatch.setattr(large, "PART_VALUES", 1_000)
    monkeypatch.setattr(sample, "SAMPLE_VALUES", 2_048)
    monkeypatch.setattr(sample, "BLOCK", 512)
    monkeypatch.setattr(sample, "FIRST_ROWS", 700)


def waves(*, n=N, two=False):
    """A wave with a spike, a stretch that stands still, and a hole in the clock."""
    rng = np.random.default_rng(3)
    value = np.sin(np.arange(n) / 5) + rng.normal(scale=0.1, size=n)
    value[2_500] = 9.0
    value[3_980:4_060] = 2.5  # over the edge of two parts
    frame = pd.DataFrame({"when": pd.date_range("2024-01-01", periods=n, freq="min"), "value": value})
    if two:
        frame["other"] = np.cos(np.arange(n) / 7) + rng.normal(scale=0.1, size=n)
    return frame


def scores_in(folder, name="pump"):
    paths = sorted((folder / "scores" / f"series={name}").glob("*.parquet"))
    return pd.concat([pd.read_parquet(path) for path in paths], ignore_index=True)


@pytest.mark.parametrize("kind", ["parquet", "csv", "csv.gz", "folder"])
@pytest.mark.parametrize("two", [False, True])
def test_the_scores_and_events_are_those_of_the_whole(tmp_path, kind, two):
    frame = waves(two=two)
    path = tmp_path / (f"pump.{kind}" if kind != "folder" else "pump")
    if kind == "parquet":
        frame.to_parquet(path, row_group_size=1_300)
    elif kind == "folder":
        path.mkdir()
        frame[:4_000].to_parquet(path / "a.parquet")
        frame[4_000:].to_parquet(path / "b.parquet")
    else:
        frame.to_csv(path, index=False)
    found = fleet.detect_large(path, tmp_path / "out", settings=BRIEF)
    told = scores_in(tmp_path / "out")
    assert told["time"].tolist() == frame["when"].tolist()
    detector = vaenb.load(tmp_path / "out" / "detectors" / "pump.vaenb")
    series = vaenb.read_series(frame)
    whole = detector.decision_function(series).to_numpy()
    np.testing.assert_allclose(told["score"], whole, rtol=1e-6, atol=1e-9)
    assert told["flag"].tolist() == (told["score"] > detector.threshold_).astype(int).tolist()
    events = detector.detect(series)
    for column in ("start", "end", "peak", "n_points"):
        assert found[column].tolist() == events[column].tolist(), column
    np.testing.assert_allclose(found["severity"], events["severity"], rtol=1e-5)
    assert ((events["start"] < frame["when"][4_000]) & (events["end"] >= frame["when"][4_000])).any()
    row = pd.read_parquet(tmp_path / "out" / "summary.parquet").iloc[0]
    assert row["n_points"] == N
    assert row["n_events"] == len(events)
    assert row["flagged"] == pytest.approx(told["flag"].mean())
    assert not (tmp_path / "out" / "parts").exists()


def test_a_run_that_was_stopped_goes_on_and_ends_as_one_that_was_not(tmp_path):
    waves().to_parquet(tmp_path / "pump.parquet")
    stop, counts = threading.Event(), []

    def after(n_rows):
        counts.append(n_rows)
        if len(counts) == 3:
            stop.set()

    fleet.detect_large(tmp_path / "pump.parquet", tmp_path / "out", settings=BRIEF, on_rows=after, stop=stop)
    assert len(counts) == 3
    begun = []
    again = fleet.detect_large(
        tmp_path / "pump.parquet",
        tmp_path / "out",
        settings=BRIEF,
        on_begin=lambda *told: begun.append(told),
        on_rows=counts.append,
    )
    assert begun == [(N, sum(counts[:3]))]
    assert sum(counts) == N  # no row twice
    at_once = fleet.detect_large(tmp_path / "pump.parquet", tmp_path / "other", settings=BRIEF)
    pd.testing.assert_frame_equal(again, at_once)
    path = tmp_path / "pump.parquet"
    once_more = fleet.detect_large(path, tmp_path / "out", settings=BRIEF, on_rows=counts.append)
    pd.testing.assert_frame_equal(once_more, at_once)
    assert sum(counts) == N
    for one, other in zip(
        sorted((tmp_path / "out" / "scores").rglob("*.parquet")),
        sorted((tmp_path / "other" / "scores").rglob("*.parquet")),
        strict=True,
    ):
        assert one.read_bytes() == other.read_bytes()


def test_a_hole_in_the_clock_and_a_stretch_without_values(tmp_path):
    frame = waves().drop(index=range(5_000, 5_040))
    frame.loc[6_000:8_200, "value"] = np.nan  # a whole part, and more
    frame.to_parquet(tmp_path / "pump.parquet")
    fleet.detect_large(tmp_path / "pump.parquet", tmp_path / "out", settings=BRIEF)
    told = scores_in(tmp_path / "out")
    series = vaenb.read_series(frame)
    whole = vaenb.load(tmp_path / "out" / "detectors" / "pump.vaenb").decision_function(series).to_numpy()
    known = frame["value"].notna().to_numpy()
    far = 150  # what lies between two values with a hole between them is told otherwise
    inside = known & (np.abs(np.subtract.outer(np.arange(len(frame)), [5_960, 8_160])).min(axis=1) > far)
    np.testing.assert_allclose(told["score"][inside], whole[inside], rtol=1e-6, atol=1e-9)
    assert np.isnan(told["score"][7_000:8_000]).all()
    assert not told["flag"][7_000:8_000].any()


def test_the_sample_is_drawn_over_the_whole_training_part():
    starts, length = sample._blocks(100_000, 2_048, 0)
    assert length == 512
    assert (np.diff(starts) >= 512).all()
    np.testing.assert_array_equal(starts // 25_000, [0, 1, 2, 3])
    assert sample._blocks(100_000, 2_048, 1)[0].tolist() != starts.tolist()
    tight = sample._blocks(2_100, 2_048, 0)[0]
    assert (np.diff(tight) >= 512).all()
    assert tight[-1] + 512 <= 2_100


def test_no_window_reaches_over_a_seam(tmp_path):
    waves().to_parquet(tmp_path / "pump.parquet")
    reader = sample.Reader(PiecesOf(tmp_path / "pump.parquet"), {}, name="pump")
    drawn, seams = sample.draw_sample(reader, n_rows=N, seed=0)
    assert seams.tolist() == [512, 1_024, 1_536]
    prepared = vaenb.VAEDetector(**BRIEF).fit_prepare(drawn)
    kept = sample.without_seams(prepared, seams)
    for seam in seams:
        starts = kept.everything.starts
        assert not ((starts < seam) & (starts + 16 > seam)).any()
    assert len(kept.everything) == len(prepared.everything) - 3 * 15


def test_the_pieces_of_a_file_hold_its_rows(tmp_path):
    frame = waves()
    frame.to_parquet(tmp_path / "a.parquet", row_group_size=777)
    tables = list(PiecesOf(tmp_path / "a.parquet").read(2_000))
    assert [len(table) for table in tables] == [2_000, 2_000, 2_000, 3_000]
    pd.testing.assert_frame_equal(pd.concat(tables, ignore_index=True), frame)
    (tmp_path / "a.csv").write_text(
        "# when;a\n" + "\n".join(f"{i};{i / 2!s}".replace(".", ",") for i in range(50))
    )
    pieces = PiecesOf(tmp_path / "a.csv")
    assert pieces.n_rows == 50
    assert pd.concat(pieces.read(20))["a"].tolist() == [i / 2 for i in range(50)]


def refuse(path, words, **more):
    with pytest.raises(InputError, match=words):
        fleet.detect_large(path, path.parent / f"out_{path.stem}", **{"settings": BRIEF, **more})


def test_what_cannot_be_used_is_refused(tmp_path):
    refuse(tmp_path / "none.csv", "There is no file")
    (tmp_path / "bare").mkdir()
    refuse(tmp_path / "bare", "There is no Parquet file in")
    whole = waves()
    whole.iloc[::-1].to_parquet(tmp_path / "back.parquet")
    refuse(tmp_path / "back.parquet", r"Row 2,\d+ .* must be in order of time: sort the file")
    whole.to_parquet(tmp_path / "pump.parquet")
    refuse(
        tmp_path / "pump.parquet",
        "train_end is 'June'; .* expected a number of rows",
        read={"train_end": "June"},
    )
    fleet.detect_large(tmp_path / "pump.parquet", tmp_path / "out_pump", settings=BRIEF)
    refuse(tmp_path / "pump.parquet", "holds the results of other settings", settings={**BRIEF, "epochs": 3})
    data = (tmp_path / "pump.parquet").read_bytes()
    (tmp_path / "cut.parquet").write_bytes(data[: len(data) // 2])
    refuse(tmp_path / "cut.parquet", "is a damaged Parquet file")
    text = gzip.compress(whole.to_csv(index=False).encode())
    (tmp_path / "cut.csv.gz").write_bytes(text[: len(text) // 2])
    refuse(tmp_path / "cut.csv.gz", "is a damaged gzip file")


def test_a_line_that_is_no_number_is_named_by_its_rows(tmp_path):
    frame = waves().astype({"value": object})
    frame.loc[5_500, "value"] = "high"
    frame.to_csv(tmp_path / "pump.csv", index=False)
    refuse(tmp_path / "pump.csv", r"In rows 5,000 to 6,000 \(counted from 0\): .*'high'")
