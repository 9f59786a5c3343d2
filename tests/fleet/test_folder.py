"""What the folder of a run tells: its rows read once, how to go on, and one series with its kept detector."""

import json
import pickle
import threading

import numpy as np
import pandas as pd
import pytest

import vaenb
from vaenb import fleet
from vaenb.errors import InputError
from vaenb.fleet.folder import Run
from vaenb.fleet.opening import NotKeptError, open_member, read_member, read_scores
from vaenb.fleet.output import Output

BRIEF = {"epochs": 1, "steps_per_epoch": 3, "window_size": 16, "latent_dim": 2, "hidden": (8,)}


def values(seed, n=400):
    rng = np.random.default_rng(seed)
    return np.sin(np.arange(n) / 5) + 0.1 * rng.normal(size=n)


@pytest.fixture
def source(tmp_path):
    place = tmp_path / "data"
    place.mkdir()
    for seed, name in enumerate("abc"):
        pd.DataFrame({"value": values(seed)}).to_csv(place / f"{name}.csv", index=False)
    return place


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    """A run that keeps its detectors: source and out."""
    place = tmp_path_factory.mktemp("kept")
    (place / "data").mkdir()
    for seed, name in enumerate("abc"):
        pd.DataFrame({"value": values(seed)}).to_csv(place / "data" / f"{name}.csv", index=False)
    read = {"train_end": 0.5}
    fleet.detect_many(place / "data", place / "out", read=read, settings=BRIEF, saves=True)
    return place / "data", place / "out"


def members_of(run):
    return {member.name: member for member in run.members()}


# ---------------------------------------------------------------- rows


def counted_reads(monkeypatch):
    asked, plain = [], json.loads
    monkeypatch.setattr(json, "loads", lambda text: (asked.append(text), plain(text))[1])
    return asked


def test_rows_are_read_once_and_again_where_they_are_new(tmp_path, monkeypatch):
    output = Output(tmp_path)
    output.begin({"scores": True})
    for name in ("a", "b/c", "d"):
        output.finish({"series": name, "status": "done", "worst_severity": 1.0})
    asked = counted_reads(monkeypatch)
    assert [row["series"] for row in output.rows()] == ["a", "b/c", "d"]
    assert output.done() == {"a", "b/c", "d"}
    assert len(output.table("ad")) == 2
    assert len(asked) == 3
    output.finish({"series": "d", "status": "fail", "worst_severity": 1.0})  # as long as the one before
    output.finish({"series": "e", "status": "done", "worst_severity": 1.0})
    assert output.done() == {"a", "b/c", "e"}
    assert len(asked) == 5
    output.row("a").unlink()
    assert output.done() == {"b/c", "e"}


def test_a_folder_goes_to_another_process_without_its_rows(tmp_path):
    output = Output(tmp_path)
    output.begin({"scores": True})
    output.finish({"series": "a", "status": "done"})
    before = len(pickle.dumps(output))
    output.rows()
    assert len(pickle.dumps(output)) == before
    assert pickle.loads(pickle.dumps(output)) == output


def test_no_folder_has_no_rows(tmp_path):
    assert Output(tmp_path / "nowhere").rows() == []
    assert Output(tmp_path / "nowhere").mark is None


def test_a_summary_is_written_and_a_table_is_not(tmp_path):
    output = Output(tmp_path)
    output.begin({"scores": True})
    output.finish({"series": "a", "status": "done", "worst_severity": 1.0})
    output.table("a")
    assert not (tmp_path / "summary.parquet").exists()
    pd.testing.assert_frame_equal(output.summary("a"), pd.read_parquet(tmp_path / "summary.parquet"))


# ---------------------------------------------------------------- the run that a folder tells of


def test_a_folder_alone_tells_source_reading_settings_and_what_it_keeps(kept):
    source, out = kept
    run = Run.of(None, out)
    assert (run.source, run.key, run.saves, run.detector) == (str(source), None, True, None)
    assert (run.read, run.settings) == ({"train_end": 0.5}, BRIEF)
    assert run.why_not == ""
    assert sorted(members_of(run)) == ["a", "b", "c"]


def test_a_folder_alone_goes_on_where_it_was(source, tmp_path):
    stop, whole = threading.Event(), tmp_path / "whole"
    fleet.detect_many(source, tmp_path / "out", settings=BRIEF, on_series=lambda _: stop.set(), stop=stop)
    fleet.detect_many(source, whole, settings=BRIEF)
    told, begun = [], []
    run = Run.of(None, tmp_path / "out")
    table = run.go_on(
        workers=1,
        on_begin=lambda *found: begun.append(found),
        on_series=lambda row: told.append(row["series"]),
        stop=threading.Event(),
    )
    assert (begun, told) == ([(3, 1)], ["b", "c"])
    assert table.status.tolist() == ["done"] * 3
    for name in "abc":
        there = read_scores(run.output, name)
        pd.testing.assert_frame_equal(there, read_scores(Output(whole), name))


def test_a_run_that_scores_with_saved_detectors_goes_on_too(kept, tmp_path):
    source, out = kept
    stop = threading.Event()
    fleet.score_many(source, tmp_path / "again", out / "detectors", on_series=lambda _: stop.set(), stop=stop)
    run, begun = Run.of(None, tmp_path / "again"), []
    assert run.detector == str(out / "detectors")
    run.go_on(
        workers=1,
        on_begin=lambda *found: begun.append(found),
        on_series=lambda _: None,
        stop=threading.Event(),
    )
    assert begun == [(3, 1)]
    assert Run.of(None, tmp_path / "again").output.done() == {"a", "b", "c"}
    member = members_of(run)["b"]
    evidence = open_member(run, member, read_member(run, member)).evidence
    np.testing.assert_array_equal(evidence.scores, read_scores(run.output, "b")["score"])


def test_a_run_whose_series_share_detectors_goes_on_and_opens_with_them(source, tmp_path):
    stop, groups = threading.Event(), {"a": "one", "b": "one", "c": "other"}
    told = {"settings": BRIEF, "group": groups}
    fleet.detect_many(source, tmp_path / "out", on_series=lambda _: stop.set(), stop=stop, **told)
    run = Run.of(None, tmp_path / "out")
    assert run.groups == groups
    run.go_on(workers=1, on_begin=lambda *_: None, on_series=lambda _: None, stop=threading.Event())
    assert run.output.done() == {"a", "b", "c"}
    for name in "bc":
        member = members_of(run)[name]
        opened = open_member(run, member, read_member(run, member))
        assert opened.path.stem == groups[name]
        np.testing.assert_array_equal(opened.evidence.scores, read_scores(run.output, name)["score"])


def test_a_pattern_is_kept_as_it_is(source, tmp_path, monkeypatch):
    monkeypatch.chdir(source.parent)
    fleet.detect_many("data/[ab].csv", tmp_path / "out", settings=BRIEF)
    monkeypatch.chdir("/")
    assert sorted(members_of(Run.of(None, tmp_path / "out"))) == ["a", "b"]


def test_a_dask_frame_is_found_where_the_run_has_written_it(tmp_path):
    import dask.dataframe as dd

    whole = pd.concat([pd.DataFrame({"value": values(k), "pump": name}) for k, name in enumerate("ab")])
    frame = dd.from_pandas(whole.reset_index(drop=True), npartitions=2)
    run = Run.of(frame, tmp_path / "out", key="pump", settings=BRIEF)
    assert run.members() == []
    fleet.detect_many(frame, tmp_path / "out", key="pump", settings=BRIEF, saves=True)
    for found in (run, Run.of(None, tmp_path / "out")):
        member = members_of(found)["b"]
        np.testing.assert_allclose(read_member(found, member).values[:, 0], values(1))


def test_settings_that_no_file_holds_are_asked_for(source, tmp_path):
    rule = vaenb.MAD(3.0)
    fleet.detect_many(source, tmp_path / "out", settings={**BRIEF, "threshold": rule})
    run = Run.of(None, tmp_path / "out")
    assert run.settings is None
    assert "give its settings as well to go on" in run.why_not
    with pytest.raises(InputError, match="give its settings as well"):
        run.go_on(workers=1, on_begin=print, on_series=print, stop=threading.Event())
    assert Run.of(None, tmp_path / "out", settings={**BRIEF, "threshold": rule}).why_not == ""


def test_a_folder_from_before_sources_were_kept_asks_for_one(kept, tmp_path):
    source, out = kept
    (tmp_path / "old").mkdir()
    (tmp_path / "old" / "fleet.json").write_text((out / "fleet.json").read_text())
    assert "does not tell where its series are: give the source" in Run.of(None, tmp_path / "old").why_not
    assert Run.of(source, tmp_path / "old").why_not == ""


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({}, "Give the source of the series, or the folder of a run as out, or both"),
        ({"out": "nowhere"}, r"There is no run in '.*nowhere'; expected a folder that .* has written"),
        ({"source": "data", "settings": {"epoch": 1}}, "settings has 'epoch'"),
        ({"source": "data", "out": "out", "settings": {"epochs": 7}}, "holds the results of other settings"),
        ({"out": "fitted"}, "holds detectors without scores; expected a run of vaenb.fleet.detect_many"),
    ],
)
def test_what_cannot_be_a_run_is_said_at_once(source, tmp_path, monkeypatch, given, said):
    monkeypatch.chdir(tmp_path)
    Output(tmp_path / "out").begin({"read": "[]", "settings": "[]", "detector": None, "scores": True})
    Output(tmp_path / "fitted").begin({"read": "[]", "settings": "[]", "detector": None, "scores": False})
    with pytest.raises(InputError, match=said):
        Run.of(given.pop("source", None), given.pop("out", None), **given)


def test_a_run_without_a_folder_is_named_as_in_the_terminal(source, monkeypatch):
    monkeypatch.chdir(source.parent)
    assert Run.of("data", None).output.folder == source.parent / "data_anomalies"
    assert Run.of("data/*.csv", None).output.folder == source.parent / "series_anomalies"
    assert Run.of("data", None).saves
    assert not (source.parent / "data_anomalies").exists()


# ---------------------------------------------------------------- one series from near


def test_a_series_is_opened_with_the_scores_the_threshold_and_the_detector_of_the_run(kept):
    run = Run.of(None, kept[1])
    rows = {row["series"]: row for row in run.output.rows()}
    for seed, name in enumerate("abc"):
        member = members_of(run)[name]
        series = read_member(run, member)
        opened = open_member(run, member, series)
        detector = vaenb.VAEDetector(**BRIEF).fit(series)
        np.testing.assert_array_equal(opened.evidence.scores, detector.decision_scores_)
        assert float(opened.evidence.rule.threshold_) == rows[name]["threshold"] == detector.threshold_
        expected = vaenb.explain(detector, series)
        np.testing.assert_allclose(opened.evidence.reconstruction, expected.reconstruction, atol=1e-5)
        np.testing.assert_array_equal(opened.evidence.series.values[:, 0], np.float64(values(seed)))
        assert opened.evidence.train_stop == expected.train_stop < 200
        drawn = opened.decode(np.zeros((2, 2)))[0]
        np.testing.assert_allclose(drawn, vaenb.decoder_of(detector)(np.zeros((2, 2)))[0], atol=1e-5)


def test_the_scores_are_those_on_the_disk_though_this_machine_may_find_others(kept, tmp_path):
    run = Run.of(None, kept[1])
    member = members_of(run)["a"]
    path = run.output.place("scores", "a") / "part-0.parquet"
    before, table = path.read_bytes(), pd.read_parquet(path)
    try:
        table.assign(score=table.score + 1e-3).to_parquet(path, index=False)
        found = open_member(run, member, read_member(run, member)).evidence.scores
        np.testing.assert_array_equal(found, table.score + 1e-3)
    finally:
        path.write_bytes(before)


def test_without_a_detector_it_says_what_to_do(source, tmp_path):
    fleet.detect_many(source, tmp_path / "out", settings=BRIEF)
    run = Run.of(None, tmp_path / "out")
    member = members_of(run)["a"]
    with pytest.raises(NotKeptError, match=r"no saved detector of 'a': this run keeps none.*in a new folder"):
        open_member(run, member, read_member(run, member))


def test_a_detector_that_is_gone_is_named(source, tmp_path):
    fleet.detect_many(source, tmp_path / "out", settings=BRIEF, saves=True)
    run = Run.of(None, tmp_path / "out")
    member = members_of(run)["a"]
    run.output.detector("a").unlink()
    with pytest.raises(
        NotKeptError, match=r"'.*a\.vaenb' is gone\..* delete its row, '.*a\.json', and go on"
    ):
        open_member(run, member, read_member(run, member))


def test_reading_that_no_file_holds_is_asked_for(source, tmp_path):
    end = pd.Timestamp("2024-01-02")
    for path in source.iterdir():
        stamps = pd.date_range("2024-01-01", periods=400, freq="10min")
        pd.read_csv(path).assign(time=stamps).to_csv(path, index=False)
    fleet.detect_many(source, tmp_path / "out", read={"train_end": end}, settings=BRIEF, saves=True)
    run = Run.of(None, tmp_path / "out")
    assert "give its read as well to go on" in run.why_not
    with pytest.raises(InputError, match="give its read as well"):
        read_member(run, members_of(run)["a"])
    told = Run.of(None, tmp_path / "out", read={"train_end": end})
    assert read_member(told, members_of(told)["a"]).train_end == 144


def test_a_series_that_grew_since_says_so(source, tmp_path):
    fleet.detect_many(source, tmp_path / "out", settings=BRIEF, saves=True)
    pd.DataFrame({"value": values(0, 500)}).to_csv(source / "a.csv", index=False)
    run = Run.of(None, tmp_path / "out")
    member = members_of(run)["a"]
    with pytest.raises(
        NotKeptError, match=r"'a' has changed since .*400 points then, 500 now\): delete '.*a\.json'"
    ):
        open_member(run, member, read_member(run, member))


def test_scores_in_parts_are_one_table(tmp_path):
    output = Output(tmp_path)
    for k in range(3):
        output.write("scores", "a", pd.DataFrame({"time": [k], "score": [k / 2]}), part=f"{k:05}")
    assert read_scores(output, "a")["score"].tolist() == [0.0, 0.5, 1.0]
    assert read_scores(output, "a", ("score",)).columns.tolist() == ["score"]
    with pytest.raises(NotKeptError, match="no scores of 'b'"):
        read_scores(output, "b")
