"""A study and its four files: all of them or none, whatever happens on the way."""

import errno
import os
import resource
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import vaenb
from vaenb.detector import VAEDetector
from vaenb.errors import InputError, OutputError
from vaenb.records import History
from vaenb.workflow import FILES, output_folder, study, write_findings

OLD = {name: f"the {name} of before" for name in FILES}


def labelled(n=500, *, labels=True):
    rng = np.random.default_rng(0)
    values = np.sin(2 * np.pi * np.arange(n) / 24) + 0.1 * rng.normal(size=n)
    values[420:430] += 4
    frame = pd.DataFrame({"t": pd.date_range("2024", periods=n, freq="h"), "value": values})
    if labels:
        frame["label"] = ((np.arange(n) >= 420) & (np.arange(n) < 430)).astype(int)
    return frame.drop(index=[100, 101]).iloc[[*range(n - 2), n - 3]]  # a gap, and the last row twice


@pytest.fixture(scope="module")
def found():
    """A study with a model as it is made: training is tested elsewhere."""
    nothing = History(epochs=(), best_epoch=0, stopped="finished")
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("vaenb.fit_steps.train", lambda *args, **options: nothing)
        detector = VAEDetector(window_size=16, hidden=(8,), threshold="percentile:95")
        series = vaenb.read_series(labelled(), train_end=300)
        return study(series, detector, code="detector.fit(series)"), detector


@pytest.fixture
def occupied(tmp_path):
    """A folder with the files of an earlier study, and one of somebody else."""
    for name, text in OLD.items():
        (tmp_path / name).write_text(text)
    (tmp_path / "notes.txt").write_text("mine")
    return tmp_path


def content(folder):
    return {path.name: path.read_text() for path in folder.iterdir()}


def full_disk(*args, **options):
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


# ---------------------------------------------------------------- the study


def test_a_study_finds_what_the_detector_finds(found):
    findings, detector = found
    series = findings.series
    np.testing.assert_array_equal(np.asarray(findings.scores), detector.decision_function(series))
    expected = detector.find_events(series)
    for name in ("start", "stop", "peak", "score", "severity", "shares"):
        np.testing.assert_array_equal(getattr(findings.events, name), getattr(expected, name))
    assert findings.threshold.threshold_ == detector.threshold_
    assert set(findings.evaluation.metrics) == {"vae", "random", "window_pca", "rolling_median"}
    assert findings.settings["train_end"] == 300
    assert findings.settings["threshold"] == "Percentile(q=95.0)"
    assert len(findings.latent) == len(findings.latent_scores)
    assert set(detector.seconds_) >= {"prepare", "build", "train", "score", "threshold", "judge"}


def test_without_labels_nothing_is_judged(monkeypatch):
    nothing = History(epochs=(), best_epoch=0, stopped="finished")
    monkeypatch.setattr("vaenb.fit_steps.train", lambda *args, **options: nothing)
    series = vaenb.read_series(labelled(labels=False))
    assert study(series, VAEDetector(window_size=16), code="").evaluation is None


# ---------------------------------------------------------------- the files


def test_the_four_files_hold_what_was_found(found, tmp_path):
    findings, detector = found
    folder = tmp_path / "new" / "folder"
    write_findings(findings, detector, folder)
    assert sorted(path.name for path in folder.iterdir()) == sorted(FILES)
    scores = pd.read_csv(folder / "scores.csv", parse_dates=["timestamp"])
    assert list(scores) == ["timestamp", "score", "flag"]
    np.testing.assert_array_equal(scores["timestamp"], findings.series.index)
    np.testing.assert_array_equal(scores["score"], detector.decision_scores_)
    np.testing.assert_array_equal(scores["flag"], detector.labels_)
    events = pd.read_csv(folder / "events.csv", parse_dates=["start", "end", "peak"])
    assert list(events) == ["start", "end", "peak", "n_points", "score", "severity", "channels"]
    assert len(events) == len(findings.events) > 0
    np.testing.assert_array_equal(
        vaenb.load(folder / "detector.vaenb").decision_scores_, detector.decision_scores_
    )
    assert (folder / "report.html").read_text().startswith("<!DOCTYPE html>")
    assert "write" in detector.seconds_


def test_scores_have_one_row_for_each_row_of_the_input(found, tmp_path):
    findings, detector = found
    write_findings(findings, detector, tmp_path)
    scores = pd.read_csv(tmp_path / "scores.csv", parse_dates=["timestamp"])
    given = labelled()
    assert len(scores) == len(given) == 499
    assert scores["timestamp"].tolist() == given["t"].tolist()
    assert scores["score"].iloc[-1] == scores["score"].iloc[-2]  # the same time, twice


def test_files_of_an_earlier_study_are_replaced_and_others_left(found, occupied):
    write_findings(*found, occupied)
    assert sorted(path.name for path in occupied.iterdir()) == sorted([*FILES, "notes.txt"])
    assert all((occupied / name).read_text(errors="replace") != text for name, text in OLD.items())
    assert (occupied / "notes.txt").read_text() == "mine"


# ---------------------------------------------------------------- what can go wrong


WRITERS = {
    "scores.csv": "vaenb.workflow.scores_frame",
    "events.csv": "vaenb.workflow.events_frame",
    "detector.vaenb": "vaenb.detector.VAEDetector.save",
    "report.html": "vaenb.workflow.write_report",
    "the disk itself": "os.fsync",
}


@pytest.mark.parametrize("step", WRITERS)
@pytest.mark.parametrize("folder", ["deep/new", "."])
def test_a_full_disk_leaves_everything_as_it_was(found, occupied, monkeypatch, step, folder):
    before = content(occupied)
    monkeypatch.setattr(WRITERS[step], full_disk)
    with pytest.raises(
        OutputError, match=r"No space left on device\. Free some space or name another folder"
    ):
        write_findings(*found, occupied / folder)
    assert content(occupied) == before


@pytest.mark.parametrize("last", range(1, 5))
@pytest.mark.parametrize("error", [OSError(errno.EIO, "Input/output error"), KeyboardInterrupt()], ids=repr)
@pytest.mark.parametrize("there", [FILES, FILES[:2], ()], ids=len)
def test_a_failure_between_the_files_takes_back_those_before(
    found, tmp_path, monkeypatch, last, error, there
):
    for name in there:
        (tmp_path / name).write_text(OLD[name])
    moved, replace = [], Path.replace

    def fail(self, target):
        if self.parent.name.startswith(".vaenb-") and target.name in FILES:
            moved.append(target.name)
            if len(moved) == last:
                raise error
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises((OutputError, KeyboardInterrupt)):
        write_findings(*found, tmp_path)
    assert len(moved) == last
    assert content(tmp_path) == {name: OLD[name] for name in there}


def test_a_file_that_may_not_grow_is_told_and_nothing_is_left(found, occupied):
    """The operating system's own refusal: no file may grow beyond 20,000 bytes."""
    before = content(occupied)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, hard))
    try:
        with pytest.raises(OutputError, match="File too large"):
            write_findings(*found, occupied / "new")
        with pytest.raises(OutputError, match="File too large"):
            write_findings(*found, occupied)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert content(occupied) == before


def test_a_message_names_the_folder_and_no_hidden_file(found, tmp_path, monkeypatch):
    monkeypatch.setattr("vaenb.workflow.write_report", full_disk)
    with pytest.raises(OutputError) as caught:
        write_findings(*found, tmp_path / "out")
    assert str(tmp_path / "out") in str(caught.value)
    assert ".vaenb-" not in str(caught.value)
    assert "nothing was left half-written" in str(caught.value)


KILLED = """
import os, signal, sys
from pathlib import Path
import numpy as np
import vaenb, vaenb.workflow, vaenb.fit_steps
from vaenb.records import History

vaenb.fit_steps.train = lambda *args, **options: History(epochs=(), best_epoch=0, stopped="finished")
detector = vaenb.VAEDetector(window_size=16)
series = vaenb.read_series(np.sin(np.arange(400) / 4))
findings = vaenb.workflow.study(series, detector, code="")

def kill(*args):
    os.kill(os.getpid(), signal.SIGKILL)

replace, moves = Path.replace, []

def kill_at_the_third(self, target):
    if target.parent.name == "out":
        moves.append(target)
        if len(moves) == 3:
            kill()
    return replace(self, target)

if sys.argv[2] == "while writing":
    vaenb.workflow.write_report = kill
else:
    Path.replace = kill_at_the_third
vaenb.workflow.write_findings(findings, detector, Path(sys.argv[1]))
"""


@pytest.mark.parametrize("moment", ["while writing", "between two files"])
def test_a_killed_process_leaves_no_half_file(tmp_path, moment):
    folder = tmp_path / "out"
    folder.mkdir()
    for name, text in OLD.items():
        (folder / name).write_text(text)
    done = subprocess.run([sys.executable, "-c", KILLED, str(folder), moment], check=False)
    assert done.returncode == -signal.SIGKILL
    new = [name for name in FILES if (folder / name).read_text(errors="replace") != OLD[name]]
    assert len(new) == (0 if moment == "while writing" else 2)
    if new:
        assert new == ["scores.csv", "events.csv"]
        assert len(pd.read_csv(folder / "scores.csv")) == 400


# ---------------------------------------------------------------- the folder


def fail_in(folder, *, leaving=None):
    assert folder.is_dir()
    if leaving:
        (folder / leaving).write_text("kept")
    raise InputError("no")


def test_a_folder_is_made_and_taken_away_when_the_work_fails(tmp_path):
    folder = tmp_path / "a" / "b" / "c"
    with pytest.raises(InputError, match="no"), output_folder(folder):
        fail_in(folder)
    assert not any(tmp_path.iterdir())


def test_a_folder_stays_when_the_work_is_done_or_something_is_in_it(tmp_path):
    with output_folder(tmp_path / "a" / "b"):
        pass
    assert (tmp_path / "a" / "b").is_dir()
    with pytest.raises(InputError, match="no"), output_folder(tmp_path / "c"):
        fail_in(tmp_path / "c", leaving="mine.txt")
    assert content(tmp_path / "c") == {"mine.txt": "kept"}


def test_a_folder_that_was_there_stays_when_the_work_fails(tmp_path):
    with pytest.raises(InputError, match="no"), output_folder(tmp_path):
        raise InputError("no")
    assert tmp_path.is_dir()


@pytest.mark.parametrize(
    ("folder", "said"),
    [
        ("file", "there is a file of that name"),
        ("file/sub", "Not a directory"),
        ("x" * 300, "File name too long"),
    ],
)
def test_a_folder_that_cannot_be_made_is_told(tmp_path, folder, said):
    (tmp_path / "file").write_text("mine")
    expected = pytest.raises(OutputError, match=f"cannot be written to: {said}.*Name another one with --out")
    with expected, output_folder(tmp_path / folder):
        raise AssertionError
    assert content(tmp_path) == {"file": "mine"}


def test_a_folder_in_which_nothing_may_be_written_is_told(tmp_path, monkeypatch):
    def deny(*args, **options):
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr("tempfile.TemporaryFile", deny)
    with pytest.raises(OutputError, match="Permission denied"), output_folder(tmp_path / "new"):
        raise AssertionError
    assert not any(tmp_path.iterdir())


def test_rows_out_of_order_are_judged_in_the_order_of_time(monkeypatch):
    """The same metrics, whatever the order of the rows in the file."""
    nothing = History(epochs=(), best_epoch=0, stopped="finished")
    monkeypatch.setattr("vaenb.fit_steps.train", lambda *args, **options: nothing)
    frame = labelled().drop_duplicates("t")
    found = []
    for rows in (frame, frame.sample(frac=1, random_state=0)):
        series = vaenb.read_series(rows, train_end=300)
        found.append(study(series, VAEDetector(window_size=16, hidden=(8,)), code="").evaluation.metrics)
    assert found[0].keys() == found[1].keys()
    for name, metrics in found[0].items():
        assert found[1][name] == pytest.approx(metrics, nan_ok=True)
