"""Many series: is each done as if it were alone, and is nothing lost or done twice when a run breaks off?"""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
from contextlib import suppress

import numpy as np
import pandas as pd
import pytest

import vaenb
from vaenb import fleet, training_graph
from vaenb.errors import InputError, OutputError
from vaenb.fleet import groups as group_module
from vaenb.fleet import output as output_module
from vaenb.fleet.output import Output
from vaenb.training_run import TrainingRun

BRIEF = {"epochs": 1, "steps_per_epoch": 3, "window_size": 16, "latent_dim": 2, "hidden": (8,)}


def values(seed, n=400):
    rng = np.random.default_rng(seed)
    return np.sin(np.arange(n) / 5) + 0.1 * rng.normal(size=n)


def frame(seed):
    return pd.DataFrame({"value": values(seed)})


def folder_of(tmp_path, names=("a", "b", "c")):
    place = tmp_path / "data"
    place.mkdir()
    for seed, name in enumerate(names):
        frame(seed).to_csv(place / f"{name}.csv", index=False)
    return place


def scores_of(out, name):
    return pd.read_parquet(out / "scores" / f"series={name}" / "part-0.parquet")


def contents(out, kind="scores"):
    """The bytes of all results of a kind, by series."""
    return {path.parent.name: path.read_bytes() for path in (out / kind).glob("*/part-0.parquet")}


def alone(seed):
    return vaenb.VAEDetector(**BRIEF).fit(vaenb.read_series(frame(seed)))


# ---------------------------------------------------------------- what comes of it


def test_each_series_is_done_as_if_it_were_alone(tmp_path):
    source, out = folder_of(tmp_path), tmp_path / "out"
    told = []
    table = fleet.detect_many(source, out, settings=BRIEF, on_series=told.append)
    assert [row["series"] for row in told] == ["a", "b", "c"]
    for seed, name in enumerate("abc"):
        detector, found = alone(seed), scores_of(out, name)
        np.testing.assert_array_equal(found["score"], detector.decision_scores_)
        np.testing.assert_array_equal(found["flag"], detector.labels_)
        events = pd.read_parquet(out / "events" / f"series={name}" / "part-0.parquet")
        assert len(events) == len(detector.detect(vaenb.read_series(frame(seed))))
        row = table.set_index("series").loc[name]
        assert (row.status, row.n_points, row.n_channels, row.n_events) == ("done", 400, 1, len(events))
        assert row.threshold == detector.threshold_
        assert row.highest_score == found["score"].max()
    assert table.worst_severity.is_monotonic_decreasing
    pd.testing.assert_frame_equal(pd.read_parquet(out / "summary.parquet"), table)


def test_the_scores_are_one_data_set(tmp_path):
    fleet.detect_many(folder_of(tmp_path), tmp_path / "out", settings=BRIEF)
    whole = pd.read_parquet(tmp_path / "out" / "scores")
    assert whole.groupby("series", observed=True).size().to_dict() == {"a": 400, "b": 400, "c": 400}


def test_series_of_one_shape_share_a_graph(tmp_path, monkeypatch):
    monkeypatch.setattr(training_graph, "_graphs", {})
    fleet.detect_many(folder_of(tmp_path), tmp_path / "out", settings=BRIEF)
    assert len(training_graph._graphs) == 1


def test_a_detector_for_each_then_its_scores(tmp_path):
    source, out = folder_of(tmp_path), tmp_path / "fitted"
    table = fleet.fit_many(source, out, settings=BRIEF)
    assert table.status.tolist() == ["done"] * 3
    assert not list((out / "scores").iterdir())
    again = tmp_path / "scored"
    fleet.score_many(source, again, out / "detectors")
    for seed, name in enumerate("abc"):
        np.testing.assert_array_equal(scores_of(again, name)["score"], alone(seed).decision_scores_)


def test_one_detector_for_all(tmp_path):
    source = folder_of(tmp_path)
    detector = alone(0)
    detector.save(tmp_path / "one.vaenb")
    fleet.score_many(source, tmp_path / "out", tmp_path / "one.vaenb")
    expected = detector.decision_function(vaenb.read_series(frame(2)))
    np.testing.assert_array_equal(scores_of(tmp_path / "out", "c")["score"], expected)


@pytest.mark.parametrize("group", [None, dict.fromkeys("abc", "all")])
def test_ctrl_c_in_a_training_ends_the_run_and_keeps_nothing_half_trained(tmp_path, monkeypatch, group):
    source, epoch, begun = folder_of(tmp_path), TrainingRun.epoch, []

    def interrupted(self, *told):
        begun.append(self)
        if len(begun) == 4:
            raise KeyboardInterrupt
        return epoch(self, *told)

    told = {"settings": {**BRIEF, "epochs": 3 if group is None else 5}, "group": group, "saves": True}
    fleet.detect_many(source, tmp_path / "whole", **told)
    monkeypatch.setattr(TrainingRun, "epoch", interrupted)
    with pytest.raises(KeyboardInterrupt):
        fleet.detect_many(source, tmp_path / "out", **told)
    done = [] if group else ["series=a"]  # three epochs of the first series, and none of the second
    assert [path.name for path in sorted((tmp_path / "out" / "scores").iterdir())] == done
    assert not list((tmp_path / "out").glob("groups/*"))
    monkeypatch.setattr(TrainingRun, "epoch", epoch)
    fleet.detect_many(source, tmp_path / "out", **told)
    assert contents(tmp_path / "out") == contents(tmp_path / "whole")


# ---------------------------------------------------------------- where they come from


def test_files_of_each_kind_and_odd_names(tmp_path):
    source = tmp_path / "odd names"
    source.mkdir()
    frame(0).to_csv(source / "été 1=2.csv", index=False)
    frame(1).to_csv(source / "quo'te.csv.gz", index=False)
    frame(2).to_parquet(source / "50%.parquet")
    (source / "notes.txt").write_text("no series")
    table = fleet.detect_many(source / "*", tmp_path / "out", settings=BRIEF)
    assert sorted(table.series) == ["50%", "quo'te", "été 1=2"]
    assert table.status.tolist() == ["done"] * 3
    assert len(contents(tmp_path / "out")) == 3


@pytest.mark.parametrize("kind", ["one file", "partitioned", "dask"])
def test_a_column_tells_the_series_apart(tmp_path, kind):
    whole = pd.concat([frame(seed).assign(pump=name) for seed, name in enumerate("abc")], ignore_index=True)
    source = tmp_path / "all.parquet"
    if kind == "dask":
        import dask.dataframe as dd

        source = dd.from_pandas(whole, npartitions=12)
    else:
        whole.to_parquet(source, partition_cols=["pump"] if kind == "partitioned" else None)
    table = fleet.detect_many(source, tmp_path / "out", key="pump", settings=BRIEF)
    assert sorted(table.series) == ["a", "b", "c"]
    np.testing.assert_array_equal(scores_of(tmp_path / "out", "b")["score"], alone(1).decision_scores_)


def test_a_dask_frame_is_written_once(tmp_path):
    import dask.dataframe as dd

    whole = pd.concat([frame(seed).assign(pump=name) for seed, name in enumerate("ab")], ignore_index=True)
    states = []
    for changed in (whole, whole, whole.assign(value=1.0 + whole.value)):
        source = dd.from_pandas(changed, npartitions=3)
        fleet.detect_many(source, tmp_path / "out", key="pump", settings=BRIEF)
        paths = sorted((tmp_path / "out" / "input").rglob("*.parquet"))
        states.append([path.stat().st_mtime_ns for path in paths])
    assert states[0]
    assert states[0] == states[1]
    assert not set(states[1]) & set(states[2])


def test_the_series_of_a_group_share_a_detector(tmp_path):
    source, out = folder_of(tmp_path, "abcd"), tmp_path / "out"
    groups = {"a": "old", "b": "old", "c": "new", "d": "old"}
    table = fleet.detect_many(source, out, group=groups, settings=BRIEF)
    assert table.status.tolist() == ["done"] * 4
    assert sorted(path.stem for path in (out / "groups").iterdir()) == ["new", "old"]
    for name in "abd":
        detector = vaenb.load(out / "groups" / "old.vaenb")
        series = vaenb.read_series(source / f"{name}.csv")
        expected = detector.decision_function(series)
        np.testing.assert_allclose(scores_of(out, name)["score"], expected, rtol=1e-6)
        assert table.set_index("series").threshold[name] == detector.threshold_
    again = fleet.detect_many(source, out, group=groups.get, settings=BRIEF)
    pd.testing.assert_frame_equal(again, table)
    with pytest.raises(InputError, match="holds the results of other settings"):
        fleet.detect_many(source, out, settings=BRIEF)


def test_a_group_learns_from_the_training_parts_of_all_and_is_calibrated_on_the_end_of_each():
    series = [vaenb.read_series(frame(seed), train_end=100 + 20 * seed, name=f"{seed}") for seed in range(3)]
    _, train, held_out = group_module._parts(series, share=0.2, seed=0)
    assert [len(index) for index, _ in train] == [80, 96, 112]
    assert [len(index) for index, _ in held_out] == [20, 24, 28]
    for one, (_, early), (_, late) in zip(series, train, held_out, strict=True):
        np.testing.assert_array_equal(np.concatenate([early, late]), one.values[: one.train_end])


def test_a_group_that_cannot_be_fitted_fails_with_all_its_series(tmp_path):
    source, out, told = folder_of(tmp_path, "abc"), tmp_path / "out", []
    (source / "b.csv").write_text("other,more\n" + "1,2\n3,5\n" * 100)
    names = {"a": "odd", "b": "odd", "c": "even"}
    table = fleet.detect_many(source, out, group=names, settings=BRIEF, on_series=told.append)
    rows = table.set_index("series")
    assert rows.status.to_dict() == {"a": "failed", "b": "failed", "c": "done"}
    assert "group 'odd' cannot be fitted: the channels of 'b' are other, more" in rows.reason["a"]
    assert sorted(row["series"] for row in told) == ["a", "b", "c"]
    with pytest.raises(InputError, match="The group of the series 'c' is None; expected a name"):
        fleet.detect_many(source, tmp_path / "else", group={"a": "x", "b": "x"}, settings=BRIEF)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"source": "nowhere"}, r"There is no series in '.*nowhere'; expected files \.csv"),
        ({"key": "pump"}, "is no Parquet data set"),
        ({"settings": {"epoch": 1}}, "settings has 'epoch'; expected some of: .*epochs"),
        ({"settings": {"epochs": 0}}, "epochs is 0"),
        ({"read": {"sep": ";"}}, "read has 'sep'; expected some of: labels, time, train_end, values"),
        ({"workers": 0}, "workers is 0"),
    ],
)
def test_what_cannot_work_is_said_at_once(tmp_path, change, said):
    source = folder_of(tmp_path)
    settings = {"source": source, "settings": BRIEF, **change}
    if settings["source"] == "nowhere":
        settings["source"] = source / "nowhere"
    with pytest.raises(InputError, match=said):
        fleet.detect_many(settings.pop("source"), tmp_path / "out", **settings)


def test_two_of_one_name_are_refused(tmp_path):
    source = folder_of(tmp_path)
    frame(5).to_parquet(source / "a.parquet")
    with pytest.raises(InputError, match="Two series are called 'a', and would overwrite each other"):
        fleet.detect_many(source, tmp_path / "out", settings=BRIEF)


def test_a_missing_detector_is_said_at_once(tmp_path):
    with pytest.raises(InputError, match=r"There is no detector at .*: fit_many saves them"):
        fleet.score_many(folder_of(tmp_path), tmp_path / "out", tmp_path / "none.vaenb")


# ---------------------------------------------------------------- what goes wrong


def test_a_series_that_fails_is_a_row_and_is_tried_again(tmp_path):
    source, out = folder_of(tmp_path), tmp_path / "out"
    (source / "b.csv").write_text("value\n" + "1.5\n" * 400)
    frame(7).to_parquet(source / "d.parquet")
    truncated = (source / "d.parquet").read_bytes()
    (source / "d.parquet").write_bytes(truncated[: len(truncated) // 2])
    table = fleet.detect_many(source, out, settings=BRIEF).set_index("series")
    assert table.status.to_dict() == {"a": "done", "b": "failed", "c": "done", "d": "failed"}
    assert "b" not in {path.name for path in (out / "scores").iterdir()}
    assert all(table.reason[name] for name in "bd")
    before = contents(out)
    frame(1).to_csv(source / "b.csv", index=False)
    (source / "d.parquet").write_bytes(truncated)
    told = []
    table = fleet.detect_many(source, out, settings=BRIEF, on_series=told.append)
    assert [row["series"] for row in told] == ["b", "d"]
    assert table.status.tolist() == ["done"] * 4
    assert {name: content for name, content in contents(out).items() if name in before} == before


def test_a_stopped_run_goes_on_where_it_was(tmp_path):
    source, stop = folder_of(tmp_path), threading.Event()
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    fleet.detect_many(source, whole, settings=BRIEF)
    table = fleet.detect_many(source, parts, settings=BRIEF, on_series=lambda _: stop.set(), stop=stop)
    assert table.series.tolist() == ["a"]
    told = []
    fleet.detect_many(source, parts, settings=BRIEF, on_series=told.append)
    assert [row["series"] for row in told] == ["b", "c"]
    assert contents(parts) == contents(whole)
    assert contents(parts, "events") == contents(whole, "events")


SCRIPT = """
import sys
from vaenb import fleet
tell = lambda row: print(row["series"], flush=True)
fleet.detect_many(sys.argv[1], sys.argv[2], settings={settings}, on_series=tell)
"""


def test_a_killed_run_goes_on_where_it_was(tmp_path):
    source, out, whole = folder_of(tmp_path, "abcdef"), tmp_path / "out", tmp_path / "whole"
    command = [sys.executable, "-c", SCRIPT.format(settings=BRIEF), str(source), str(out)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as run:
        assert run.stdout.readline().strip() == "a"
        run.send_signal(signal.SIGKILL)
    done = Output(out).done()
    assert "a" in done
    assert len(done) < 6
    ended = subprocess.run(command, capture_output=True, text=True, check=True)
    assert not done & set(ended.stdout.split())
    command[-1] = str(whole)
    subprocess.run(command, capture_output=True, check=True)
    assert contents(out) == contents(whole)
    assert not list(out.rglob("*.tmp"))


def test_a_full_disk_ends_the_run_and_loses_nothing(tmp_path, monkeypatch):
    source, out = folder_of(tmp_path), tmp_path / "out"
    plain, written = output_module.atomic_write, []

    def full(path, *mode):
        if len(written) > 4:
            raise OutputError("Cannot write: the disk is full.")
        written.append(path)
        return plain(path, *mode)

    monkeypatch.setattr(output_module, "atomic_write", full)
    with pytest.raises(OutputError, match="the disk is full"):
        fleet.detect_many(source, out, settings=BRIEF)
    monkeypatch.setattr(output_module, "atomic_write", plain)
    assert Output(out).done() == {"a"}
    assert fleet.detect_many(source, out, settings=BRIEF).status.tolist() == ["done"] * 3


def test_other_settings_want_another_folder(tmp_path):
    source, out = folder_of(tmp_path), tmp_path / "out"
    fleet.fit_many(source, out, settings=BRIEF)
    with pytest.raises(InputError, match="holds the results of other settings: name another folder"):
        fleet.fit_many(source, out, settings={**BRIEF, "seed": 3})
    with pytest.raises(InputError, match="other settings"):
        fleet.detect_many(source, out, settings=BRIEF)


def test_a_folder_that_cannot_be_made_is_said(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="Cannot make the folder"):
        fleet.detect_many(folder_of(tmp_path), tmp_path / "file" / "out", settings=BRIEF)


# ---------------------------------------------------------------- on a cluster


@pytest.fixture
def client():
    from dask.distributed import Client

    from vaenb.fleet.running import NO_DASHBOARD, ONE_THREAD

    with Client(n_workers=1, threads_per_worker=1, env=ONE_THREAD, **NO_DASHBOARD) as opened:
        yield opened


@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
def test_another_cluster_on_this_machine_is_no_hindrance(tmp_path):
    """Its dashboard has the port that ours would ask for."""
    with socket.socket() as other:
        with suppress(OSError):  # somebody really has one
            other.bind(("127.0.0.1", 8787))
            other.listen()
        table = fleet.fit_many(folder_of(tmp_path, "ab"), tmp_path / "out", workers=2, settings=BRIEF)
    assert table.status.tolist() == ["done", "done"]


@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_worker_that_is_killed_costs_nothing(tmp_path, client):
    """On the client that is open; its only worker dies in the middle, and the next one goes on."""
    source, out = folder_of(tmp_path, "abcdefgh"), tmp_path / "out"
    (victim,) = client.run(os.getpid).values()
    told = []

    def on_series(row):
        told.append(row["series"])
        if len(told) == 2:
            os.kill(victim, signal.SIGKILL)

    table = fleet.detect_many(source, out, settings=BRIEF, on_series=on_series)
    assert sorted(told) == list("abcdefgh")
    assert table.status.tolist() == ["done"] * 8
    (survivor,) = client.run(os.getpid).values()
    assert survivor != victim
    assert len(contents(out)) == 8
    for path in (out / "summary").glob("*.json"):
        assert json.loads(path.read_text())["status"] == "done"


@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_stop_takes_back_what_is_not_done(tmp_path, client):
    """The series that the worker is at would take an hour; a stop does not wait for it."""
    source, out, stop, told = folder_of(tmp_path, "abcdef"), tmp_path / "out", threading.Event(), []
    long = {**BRIEF, "epochs": 1_000_000}
    began = threading.Timer(5.0, stop.set)
    began.start()
    table = fleet.detect_many(source, out, settings=long, on_series=told.append, stop=stop)
    assert table.empty
    assert told == []
    assert contents(out) == {}


def test_without_a_client_no_cluster_is_looked_for():
    code = "import sys, vaenb.fleet; from vaenb.fleet.running import _active_client; "
    code += "assert _active_client() is None; assert not {'distributed', 'tensorflow'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
