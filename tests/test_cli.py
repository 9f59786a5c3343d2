"""The command line: what it prints, what it writes, and one clear sentence for every mistake."""

import errno
import gzip
import io
import json
import os
import re
import signal
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import vaenb
from vaenb.cli import main
from vaenb.detector import VAEDetector
from vaenb.records import EpochRecord, History
from vaenb.workflow import FILES

COMMAND = [sys.executable, "-m", "vaenb.cli"]


def table(n=400, *, channels=("value",), labels=True, clock=True):
    rng = np.random.default_rng(0)
    frame = pd.DataFrame()
    if clock:
        frame["timestamp"] = pd.date_range("2024-01-01", periods=n, freq="h").astype(str)
    for i, name in enumerate(channels):
        frame[name] = np.sin(2 * np.pi * np.arange(n) / 24 + i) + 0.1 * rng.normal(size=n)
    if labels:
        frame["label"] = 0
        frame.loc[340:349, "label"] = 1
        frame.loc[340:349, channels[0]] += 5
    return frame


@pytest.fixture(autouse=True)
def at_home(tmp_path, monkeypatch):
    """Every test has a folder of its own, and runs in it."""
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def untrained(monkeypatch):
    """Leave the model as it is made: what is looked at comes before and after the training."""

    def told(number):
        return EpochRecord(
            epoch=number,
            elbo=-20.0 + number,
            reconstruction=-18.0,
            kl=2.0,
            kl_per_dim=np.full(8, 0.25),
            active_units=8,
            kl_weight=1.0,
            seconds=0.5,
        )

    history = History(epochs=(told(1), told(2)), best_epoch=2, stopped="finished")
    monkeypatch.setattr("vaenb.fit_steps.train", lambda *args, **options: history)


@pytest.fixture
def trained_briefly(monkeypatch):
    """The training of the command line, with fewer steps."""
    for name, value in {"epochs": 2, "steps_per_epoch": 20}.items():
        monkeypatch.setitem(VAEDetector.__init__.__kwdefaults__, name, value)


def write(frame, name="data.csv", **options):
    frame.to_csv(name, index=False, **options)
    return name


def run_json(capsys, *arguments):
    assert main(["detect", *map(str, arguments), "--json"]) == 0
    return strict(capsys.readouterr().out)


def strict(text):
    """JSON as its standard has it: no NaN, no Infinity, and one object in one line."""
    assert text.endswith("}\n")
    assert text.count("\n") == 1

    def refuse(word):
        raise AssertionError(word)

    return json.loads(text, parse_constant=refuse)


def files_in(folder="."):
    return sorted(str(path.relative_to(folder)) for path in Path(folder).rglob("*") if path.is_file())


# ---------------------------------------------------------------- what it says


def test_detect_tells_the_six_steps_in_order(trained_briefly, capsys):
    assert main(["detect", write(table()), "--train-end", "250", "--out", "found"]) == 0
    out, err = capsys.readouterr()
    steps = re.findall(r"^Step (\d)", out, flags=re.MULTILINE)
    assert steps == ["1", "2", "3", "4", "5", "6"]
    assert "data: 400 rows, 1 channel, every 1 h" in out
    assert "labels: 10 rows marked anomalous" in out
    assert re.search(r"Step 3, train it: 2 epochs of 20 steps, in ", out)
    assert re.search(
        r"^- ExponentialTail\(rate=1e-05\) flags [\d.]+ % of normal points: about ", out, flags=re.MULTILINE
    )
    assert re.search(r"Against the labels: [01] of 1 labelled event found, \d false alarms?\.", out)
    assert re.search(r"^  VAE +\d\.\d{3} +\d\.\d{3} +\d\.\d{3}$", out, flags=re.MULTILINE)
    assert "Written to found: scores.csv, events.csv, report.html, detector.vaenb." in out
    assert f"Open {Path('found/report.html')} in a browser." in out
    assert max(map(len, out.splitlines())) <= 100
    assert len(out.splitlines()) < 60
    assert "training:" in err
    assert "Warning" not in err
    assert files_in("found") == sorted(FILES)


def test_without_labels_no_metric_is_told(untrained, capsys):
    main(["detect", write(table(labels=False))])
    assert "labels" not in capsys.readouterr().out
    found = run_json(capsys, "data.csv")
    assert "metrics" not in found
    assert found["n_points"] == 400


def test_the_answer_in_json(trained_briefly, capsys):
    write(table(channels=("cpu", "mem")))
    assert main(["detect", "data.csv", "--train-end", "0.6", "--json", "--out", "found"]) == 0
    out, err = capsys.readouterr()
    found = strict(out)
    assert (found["n_points"], found["n_channels"], found["train_end"]) == (400, 2, 240)
    detector = vaenb.load("found/detector.vaenb")
    scores, events = pd.read_csv("found/scores.csv"), pd.read_csv("found/events.csv")
    assert found["threshold"] == detector.threshold_
    assert found["window_size"] == detector.window_size_ == 24
    assert found["n_events"] == len(events)
    assert found["n_flagged"] == scores["flag"].sum()
    steps = {"prepare", "build", "train", "score", "threshold", "judge", "write"}
    assert steps <= set(found["seconds"])
    assert all(seconds >= 0 for seconds in found["seconds"].values())
    assert set(found["metrics"]) == {"vae", "random", "window_pca", "rolling_median"}
    for metrics in found["metrics"].values():
        assert {"vus_pr", "auc_pr", "best_f1"} <= set(metrics)
        assert all(0 <= metrics[name] <= 1 for name in ("vus_pr", "auc_pr", "best_f1"))
    assert "training:" in err


def test_an_undefined_number_is_null(untrained, capsys):
    frame = table()
    frame["label"] = 0
    found = run_json(capsys, write(frame))
    assert found["metrics"]["vae"]["vus_pr"] is None
    write(table(clock=False), "no clock.csv")
    assert run_json(capsys, "no clock.csv")["false_alarms_per_day"] is None


def test_the_scores_file_has_a_row_for_each_row_of_the_input(untrained):
    frame = table()
    frame = frame.drop(index=[50, 51, 52]).iloc[[*range(397), 396]]
    main(["detect", write(frame), "--out", "found"])
    scores = pd.read_csv("found/scores.csv")
    assert list(scores) == ["timestamp", "score", "flag"]
    assert pd.to_datetime(scores["timestamp"]).tolist() == pd.to_datetime(frame["timestamp"]).tolist()
    assert set(scores["flag"]) <= {0, 1}
    main(["detect", write(table(clock=False)), "--out", "found"])
    scores = pd.read_csv("found/scores.csv")
    assert list(scores) == ["index", "score", "flag"]
    assert scores["index"].tolist() == list(range(400))


def test_the_lines_of_python_in_the_report_find_the_same_again(untrained, capsys):
    write(table(channels=("cpu", "mem")), "my data.csv")
    chosen = ["--threshold", "percentile:98", "--seed", "3", "--values", "mem", "--train-end", "2024-01-11"]
    found = run_json(capsys, "my data.csv", *chosen, "--out", "found")
    page = Path("found/report.html").read_text(encoding="utf-8")
    code = re.search(r"import vaenb\n.*?detector\.detect\(series\)", page, flags=re.DOTALL)[0]
    for entity, letter in (("&#x27;", "'"), ("&quot;", '"'), ("&gt;", ">")):
        code = code.replace(entity, letter)
    again = {}
    exec(code, again)
    assert again["detector"].threshold_ == found["threshold"]
    assert len(again["events"]) == found["n_events"]
    assert again["series"].channels == ("mem",)


def test_datasets_are_listed(capsys):
    assert main(["datasets"]) == 0
    out = capsys.readouterr().out
    for name in ("nyc_taxi", "machine_temperature", "toy_daily", "ecg_pvc", "server_metrics"):
        assert re.search(rf"^{name}: [\d,]+ rows, \d+ channels?; licence: ", out, flags=re.MULTILINE)
    assert max(map(len, out.splitlines())) <= 100


def test_the_demo_takes_a_bundled_series_through_the_six_steps(trained_briefly, capsys):
    assert main(["demo", "toy_daily"]) == 0
    out = capsys.readouterr().out
    assert re.findall(r"^Step (\d)", out, flags=re.MULTILINE) == list("123456")
    assert "licence: MIT" in out
    assert files_in() == [f"toy_daily_anomalies/{name}" for name in sorted(FILES)]
    assert vaenb.load("toy_daily_anomalies/detector.vaenb").channels_ == ("value",)


def test_the_version_and_the_help_are_told(capsys):
    for arguments, said in (
        (["--version"], f"vaenb {vaenb.__version__}"),
        (["detect", "--help"], "--train-end"),
    ):
        with pytest.raises(SystemExit) as ended:
            main(arguments)
        assert ended.value.code == 0
        assert said in capsys.readouterr().out


# ---------------------------------------------------------------- what can be chosen


@pytest.mark.parametrize(
    ("train_end", "rows"),
    [("250", 250), ("0.75", 300), ("2024-01-10", 216), ("2024-01-10 06:00", 222), (None, 200)],
)
def test_the_training_part_ends_at_a_row_a_share_or_a_time(untrained, capsys, train_end, rows):
    chosen = [] if train_end is None else ["--train-end", train_end]
    assert run_json(capsys, write(table()), *chosen)["train_end"] == rows


def test_columns_are_chosen_by_name(untrained, capsys):
    frame = table(channels=("cpu", "mem", "net")).rename(columns={"timestamp": "Wann", "label": "kaputt"})
    write(frame.assign(Wann=frame["Wann"].to_numpy(), other="text"))
    chosen = ("--time", "Wann", "--values", "cpu, net", "--labels", "kaputt", "--out", "found")
    found = run_json(capsys, "data.csv", *chosen)
    assert found["n_channels"] == 2
    assert "metrics" in found
    assert vaenb.load("found/detector.vaenb").channels_ == ("cpu", "net")
    assert "timestamp" in pd.read_csv("found/scores.csv")


def test_the_time_and_the_labels_can_be_left_out(untrained, capsys):
    write(table().assign(label=np.arange(400)))
    found = run_json(
        capsys, "data.csv", "--labels", "none", "--time", "none", "--values", "value", "--out", "found"
    )
    assert "metrics" not in found
    assert "index" in pd.read_csv("found/scores.csv")


@pytest.mark.parametrize(
    "method", ["reconstruction_error", "reconstruction_probability", "elbo", "iwae", "latent"]
)
def test_every_method_can_be_chosen(untrained, capsys, method):
    assert main(["detect", write(table()), "--method", method, "--out", "found"]) == 0
    assert f"({method})" in " ".join(capsys.readouterr().out.split())
    assert vaenb.load("found/detector.vaenb").method == method


@pytest.mark.parametrize(
    ("rule", "made"),
    [
        ("exponential", "ExponentialTail(rate=1e-05)"),
        ("pot", "POT(rate=0.0015)"),
        ("pot:0.01", "POT(rate=0.01)"),
        ("percentile:95", "Percentile(q=95.0)"),
        ("mad", "MAD(n_mads=5.0)"),
        ("conformal:0.05", "Conformal(alpha=0.05)"),
        ("alarms:1", "AlarmBudget(per_day=1.0)"),
        ("alarms:1/1000", "AlarmBudget(per_points=1000.0)"),
        ("best_f1", "BestF1()"),
        ("3.5", "Fixed(value=3.5)"),
    ],
)
def test_every_rule_can_be_chosen(untrained, capsys, rule, made):
    assert main(["detect", write(table()), "--threshold", rule, "--json", "--window-size", "12"]) == 0
    out, err = capsys.readouterr()
    found = strict(out)
    assert found["threshold_rule"] == made
    assert found["window_size"] == 12
    assert "Warning" not in err
    if rule == "best_f1":
        assert any("labels of the very scores it judges" in warning for warning in found["warnings"])


def test_a_seed_gives_the_same_scores_twice_and_another_one_others(untrained):
    write(table())
    for folder, seed in (("a", "1"), ("b", "1"), ("c", "2")):
        main(["detect", "data.csv", "--seed", seed, "--out", folder])
    one, two, other = (Path(folder, "scores.csv").read_bytes() for folder in "abc")
    assert one == two != other


# ---------------------------------------------------------------- files of every kind


def as_semicolons(frame):
    return write(frame, "german.csv", sep=";", decimal=",", encoding="latin-1")


def as_parquet(frame):
    frame.assign(timestamp=pd.to_datetime(frame["timestamp"])).to_parquet("data.parquet")
    return "data.parquet"


def as_gzip(frame):
    Path("data.csv.gz").write_bytes(gzip.compress(frame.to_csv(index=False).encode()))
    return "data.csv.gz"


@pytest.mark.parametrize("save", [as_semicolons, as_parquet, as_gzip])
def test_files_of_every_kind_give_the_same_scores(untrained, capsys, save):
    frame = table(channels=("cpu", "mem")).round(6)
    expected = run_json(capsys, write(frame, "plain.csv"), "--out", "plain")
    found = run_json(capsys, save(frame), "--out", "other")
    assert found["threshold"] == pytest.approx(expected["threshold"])
    scores = [pd.read_csv(Path(folder, "scores.csv"))["score"] for folder in ("plain", "other")]
    np.testing.assert_allclose(*scores)


def test_a_name_with_spaces_and_letters_of_other_alphabets(untrained, capsys):
    folder = Path("Mein Ordner")
    folder.mkdir()
    write(table(), folder / "Πίεση № 3.csv")
    assert main(["detect", str(folder / "Πίεση № 3.csv")]) == 0
    assert files_in("Πίεση № 3_anomalies") == sorted(FILES)
    assert "Πίεση № 3: 400 rows" in capsys.readouterr().out


def test_a_terminal_that_knows_ascii_only_is_no_reason_to_fail(untrained, monkeypatch):
    terminal = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    monkeypatch.setattr(sys, "stdout", terminal)
    assert main(["detect", write(table(), "Πίεση.csv")]) == 0
    assert rb"\u03a0" in terminal.buffer.getvalue()


# ---------------------------------------------------------------- mistakes


def lines(*rows):
    return "\n".join(rows) + "\n"


def calm(n=400, **columns):
    return table(n, labels=False).assign(**columns).to_csv(index=False)


def with_one(value, column="value"):
    frame = table(labels=False).astype({column: object})
    frame.loc[200, column] = value
    return frame.to_csv(index=False)


FILES_TO_REFUSE = {
    "no file": (None, r"There is no file bad\.csv: check the name and the folder"),
    "empty": ("", r"bad\.csv is empty; expected a table with a header and rows: check"),
    "header only": (
        "timestamp,value\n",
        r"bad\.csv has a header and no rows; expected at least one row.*: check",
    ),
    "no number": (
        lines("who,what", "a,b", "c,d"),
        r"no numeric column among: who, what.*expected at least one",
    ),
    "text": (with_one("broken"), r"Column 'value' holds 'broken' in line 202; expected a number: mend it"),
    "dates": (
        with_one("31.02.20x4", "timestamp"),
        r"'31\.02\.20x4' in line 202.*cannot be read as a date.*mend",
    ),
    "nothing": (calm(value=np.nan), r"All 400 values of value are missing; expected numbers: take another"),
    "infinite": (
        with_one("inf"),
        r"holds inf in line 202; expected a finite number of at most 1e\+30.*mend it",
    ),
    "minus infinite": (with_one("-inf"), r"holds -inf in line 202; expected a finite number.*mend it"),
    "astronomical": (with_one("1e300"), r"holds 1e\+300 in line 202; expected a finite number.*mend it"),
    "constant": (
        calm(value=3.5),
        r"series is constant: value never changes from 3\.5; expected values that vary",
    ),
    "one row": (calm(1), r"has 1 row; expected at least 2"),
    "ten rows": (calm(10), r"The calibration part has 1 points, too few for windows.*give a longer series"),
    "labels in words": (
        calm(label="perhaps"),
        r"'label' hold 'perhaps' in line 2; expected 0 or 1: mend them",
    ),
    "labels of 2": (calm(label=2), r"'label' hold '2' in line 2; expected 0 or 1: .*, or use --labels none"),
    "a long row": (lines("a,b", "1,2", "2,3,4", "3,4"), r"line 3 has 3 fields; expected 2.*mend that line"),
    "an empty folder": (Path, r"no series in 'bad\.csv'; expected files \.csv, \.csv\.gz, \.parquet"),
    "Excel": (b"PK\x03\x04" + bytes(100), r"is a zip or Excel file; expected CSV or Parquet: export"),
    "gzip": (gzip.compress(calm().encode())[:600], r"is a damaged gzip file.*: copy or compress it again"),
    "Parquet": (b"PAR1" + bytes(100), r"is a damaged Parquet file.*: write or copy it again"),
}


def refused(capsys, *arguments):
    """Run a command that cannot work; its one sentence."""
    before = {path: path.read_bytes() for path in map(Path, files_in())}
    try:
        code = main([*map(str, arguments)])
    except SystemExit as ended:  # argparse's way
        code = ended.code
    out, err = capsys.readouterr()
    assert code == 2
    assert out == ""
    assert err.startswith("vaenb: ")
    assert err.count("\n") == 1
    assert "Traceback" not in err
    assert {path: path.read_bytes() for path in map(Path, files_in())} == before
    assert not any("anomalies" in path.name or path.name == "out" for path in Path().iterdir())
    return err


@pytest.mark.parametrize("kind", FILES_TO_REFUSE)
def test_a_file_that_cannot_be_used_is_refused_in_one_sentence(capsys, kind):
    content, said = FILES_TO_REFUSE[kind]
    if content is Path:
        Path("bad.csv").mkdir()
    elif content is not None:
        Path("bad.csv").write_bytes(content if isinstance(content, bytes) else content.encode())
    assert re.search(said, refused(capsys, "detect", "bad.csv", "--json"))


CHOICES_TO_REFUSE = [
    (["--train-end", "0"], r"--train-end is 0, which leaves no training part of 400 rows; expected"),
    (["--train-end", "400"], r"--train-end is 400, which leaves no test part of 400 rows"),
    (
        ["--train-end", "1000"],
        r"--train-end is 1000, which leaves no test part.*a row number from 1 to 399",
    ),
    (["--train-end", "-5"], r"--train-end is -5, which leaves no training part"),
    (["--train-end", "0.0"], r"--train-end is 0\.0, which leaves no training part"),
    (
        ["--train-end", "1.5"],
        r"--train-end is 1\.5; expected a whole row number or a share between 0 and 1",
    ),
    (["--train-end", "nan"], r"--train-end is nan; expected"),
    (
        ["--train-end", "2023-12-31"],
        r"2023-12-31, which leaves no training part.*a time after 2024-01-01",
    ),
    (["--train-end", "2030-01-01"], r"2030-01-01, which leaves no test part.*up to 2024-01-17 15:00"),
    (
        ["--train-end", "half"],
        r"--train-end is 'half'; expected a row number, a share such as 0\.5, or a time",
    ),
    (
        ["--train-end", "20"],
        r"too few for windows: it needs at least 8; give a longer series, or a later --train-end",
    ),
    (
        ["--window-size", "60"],
        r"calibration part has 40 points, fewer than one window of 60: give a smaller --window-size",
    ),
    (["--window-size", "300"], r"400 points, fewer than two windows of 300"),
    (["--window-size", "0"], r"--window-size is 0; expected a whole number from 1"),
    (["--window-size", "day"], r"--window-size is 'day'; expected a whole number of points, or auto"),
    (["--time", "when"], r"no column 'when' for the time; expected one of: timestamp, value, label"),
    (
        ["--time", "value"],
        r"no numeric column beside value, label, taken for the time or the labels among: timestamp \('times",
    ),
    (["--values", "valeu"], r"no column 'valeu' for the values; expected one of"),
    (
        ["--values", "timestamp"],
        r"Column 'timestamp' holds '2024-01-01 00:00:00' in line 2; expected a number",
    ),
    (["--labels", "marks"], r"no column 'marks' for the labels; expected one of"),
    (["--labels", "value"], r"The labels in 'value' hold '.*' in line 2; expected 0 or 1"),
    (["--method", "mse"], r"method is 'mse'; expected one of 'reconstruction_error', "),
    (["--threshold", "p95"], r"'p95' is no threshold; expected one of: exponential, exponential:1e-5, pot"),
    (["--threshold", "percentile:100"], r"q is 100\.0; it must be a number between 0 and 100"),
    (["--threshold", "nan"], r"value is nan; it must be a finite number"),
    (["--seed", "-1"], r"seed is -1; expected a whole number from 0"),
    (["--seed", "x"], r"argument --seed: invalid int value: 'x'; see vaenb detect --help"),
    (["--colour", "red"], r"unrecognized arguments: --colour red; see vaenb --help"),
    (
        ["--out", "taken"],
        r"folder 'taken' cannot be written to: there is a file of that name\. Name another",
    ),
    (["--out", "taken/sub"], r"folder 'taken/sub' cannot be written to: Not a directory\. Name another"),
]


@pytest.mark.parametrize(
    ("arguments", "said"), CHOICES_TO_REFUSE, ids=[" ".join(arguments) for arguments, _ in CHOICES_TO_REFUSE]
)
def test_a_choice_that_cannot_work_is_refused_in_one_sentence(capsys, monkeypatch, arguments, said):
    def refuse(*args, **options):
        raise AssertionError("the training began")

    monkeypatch.setattr("vaenb.fit_steps.train", refuse)
    Path("taken").write_text("mine")
    write(table())
    assert re.search(said, refused(capsys, "detect", "data.csv", "--json", *arguments))


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], r"the following arguments are required: COMMAND; see vaenb --help"),
        (["find"], r"invalid choice: 'find' \(choose from .*detect.*\); see vaenb --help"),
        (["detect"], r"the following arguments are required: FILE; see vaenb detect --help"),
        (["demo", "titanic"], r"There is no dataset 'titanic'; expected one of: nyc_taxi, "),
    ],
)
def test_a_command_that_is_none_is_refused_in_one_sentence(capsys, arguments, said):
    assert re.search(said, refused(capsys, *arguments))


def test_a_rule_that_lacks_a_clock_or_labels_says_so_before_the_training(capsys, monkeypatch):
    monkeypatch.setattr("vaenb.fit_steps.train", None)
    write(table(labels=False, clock=False))
    assert "needs a clock, and the series has none" in refused(
        capsys, "detect", "data.csv", "--json", "--threshold", "alarms:1"
    )
    assert "BestF1 needs labels" in refused(capsys, "detect", "data.csv", "--json", "--threshold", "best_f1")


def test_a_disk_that_fills_up_is_told_and_nothing_is_left(untrained, capsys, monkeypatch):
    def full(*args, **options):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("vaenb.workflow.write_report", full)
    said = refused(capsys, "detect", write(table()), "--json", "--out", "deep/out")
    assert "to 'deep/out': No space left on device. Free some space or name another folder with --out" in said
    assert not Path("deep").exists()


def test_the_folder_of_an_earlier_study_survives_a_mistake(untrained, capsys):
    main(["detect", write(table()), "--out", "found"])
    capsys.readouterr()
    refused(capsys, "detect", "data.csv", "--json", "--out", "found", "--method", "mse")
    assert files_in("found") == sorted(FILES)


# ---------------------------------------------------------------- interruptions


def interrupt(*args, **options):
    raise KeyboardInterrupt


def test_an_interruption_outside_the_training_leaves_nothing(untrained, capsys, monkeypatch):
    monkeypatch.setattr("vaenb.workflow.write_report", interrupt)
    assert main(["detect", write(table()), "--out", "out"]) == 130
    out, err = capsys.readouterr()
    assert err == "vaenb: interrupted; nothing half-written is left.\n"
    assert "Step 2" not in out
    assert files_in() == ["data.csv"]
    assert not Path("out").exists()


def test_a_training_interrupted_before_its_first_epoch_has_learnt_nothing(capsys, monkeypatch):
    nothing = History(epochs=(), best_epoch=0, stopped="interrupted")
    monkeypatch.setattr("vaenb.fit_steps.train", lambda *args, **options: nothing)
    assert main(["detect", write(table())]) == 130
    assert "interrupted before the first epoch was complete, so nothing was learnt" in capsys.readouterr().err
    assert files_in() == ["data.csv"]


class Terminal:
    """A command in a process of its own, whose standard error is read as it comes."""

    def __init__(self, *arguments):
        streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        self.process = subprocess.Popen([*COMMAND, *arguments], **streams)
        self.said, self.has_said_all, self.came = "", False, threading.Condition()
        self.listener = threading.Thread(target=self.listen)
        self.listener.start()

    def listen(self):
        while found := os.read(self.process.stderr.fileno(), 10_000):
            with self.came:
                self.said += found.decode(errors="replace")
                self.came.notify_all()
        with self.came:
            self.has_said_all = True
            self.came.notify_all()

    def wait_for(self, pattern):
        with self.came:
            self.came.wait_for(lambda: re.search(pattern, self.said) or self.has_said_all, timeout=200)
            assert re.search(pattern, self.said), self.said

    def press_ctrl_c(self):
        self.process.send_signal(signal.SIGINT)

    def end(self):
        """The exit code and what came on standard output."""
        out = self.process.stdout.read().decode()
        return self.process.wait(), out

    def close(self):
        self.process.kill()
        self.process.wait()
        self.listener.join()
        self.process.stdout.close()
        self.process.stderr.close()


@pytest.fixture
def terminal():
    opened = []

    def start(*arguments):
        opened.append(Terminal(*arguments))
        return opened[-1]

    yield start
    for each in opened:
        each.close()


def test_ctrl_c_ends_the_training_and_goes_on_with_what_was_learnt(terminal):
    # So many channels that a busy machine cannot end the training before it hears of the interrupt.
    wide = table(channels=[f"channel {i}" for i in range(80)])
    run = terminal("detect", write(wide), "--window-size", "32", "--json", "--out", "found")
    run.wait_for("ELBO")  # the first epoch is over
    run.press_ctrl_c()
    code, out = run.end()
    found = strict(out)
    assert code == 0
    assert found["stopped"] == "interrupted"
    assert 0 < found["epochs"] < 30
    assert files_in("found") == sorted(FILES)
    assert len(pd.read_csv("found/scores.csv")) == 400
    assert len(vaenb.load("found/detector.vaenb").history_) == found["epochs"]
    assert re.search(
        r"vaenb: training interrupted after \d+ epochs?; going on with what was learnt\.\n", run.said
    )


def test_a_second_ctrl_c_ends_everything_and_leaves_nothing(terminal):
    run = terminal("detect", write(table(20_000, labels=False)), "--json", "--out", "found")
    run.wait_for("ELBO")
    run.press_ctrl_c()
    run.wait_for(r"\r {20,}\r")  # the progress bar is gone: the training has ended
    run.press_ctrl_c()
    assert run.end() == (130, "")
    run.listener.join()
    assert run.said.endswith("vaenb: interrupted; nothing half-written is left.\n")
    assert "Traceback" not in run.said
    assert not Path("found").exists()


def test_as_a_command_a_mistake_ends_with_code_2_and_one_sentence():
    done = subprocess.run([*COMMAND, "detect", "absent.csv"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "vaenb: There is no file absent.csv: check the name and the folder.\n"


def test_a_reader_that_goes_away_is_no_failure():
    script = f"{' '.join(COMMAND)} datasets | head -n 1; echo ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "0"
    assert done.stderr == ""
