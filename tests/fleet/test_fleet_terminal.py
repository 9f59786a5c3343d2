"""``vaenb detect`` of a folder or a pattern."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from vaenb.cli import main


@pytest.fixture(autouse=True)
def brief(monkeypatch, tmp_path):
    """A folder of its own with two series, and one that is broken."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "plant").mkdir()
    for seed, name in enumerate(("pump", "fan")):
        rng = np.random.default_rng(seed)
        values = np.sin(np.arange(300) / 5) + 0.1 * rng.normal(size=300)
        values[250] += 50.0
        pd.DataFrame({"value": values}).to_csv(tmp_path / "plant" / f"{name}.csv", index=False)
    (tmp_path / "plant" / "broken.csv").write_text("nothing\n")


@pytest.fixture(autouse=True)
def quick_training(monkeypatch):
    from vaenb import fit_steps

    plain = fit_steps.train

    def train(*args, **settings):
        return plain(*args, **{**settings, "epochs": 1, "steps_per_epoch": 2})

    monkeypatch.setattr(fit_steps, "train", train)


def test_a_folder_with_one_progress_bar(capsys):
    assert main(["detect", "plant", "--window-size", "16"]) == 0
    out, err = capsys.readouterr()
    assert "2 series done" in out
    assert "1 series failed:" in out
    assert "- broken: " in out
    assert out.index("The worst:") < out.index("pump")
    assert "Written to plant_anomalies: summary.parquet, scores, events." in out
    assert "3/3" in err
    assert len(pd.read_parquet("plant_anomalies/summary.parquet")) == 3


def test_what_is_done_is_not_done_again(capsys):
    main(["detect", "plant", "--window-size", "16"])
    capsys.readouterr()
    assert main(["detect", "plant", "--window-size", "16"]) == 0
    assert "2 series done, 2 of them before" in capsys.readouterr().out


def test_a_pattern_as_json(capsys):
    assert main(["detect", "plant/*n.csv", "--window-size", "16", "--json", "--out", "found"]) == 0
    out, err = capsys.readouterr()
    found = json.loads(out)
    assert err == ""
    assert found["folder"] == "found"
    assert {row["series"]: row["status"] for row in found["series"]} == {"broken": "failed", "fan": "done"}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nowhere/*.csv"], "There is no series in"),
        (["plant/b*.csv"], "All 1 series failed"),
        (["plant", "--workers", "0"], "workers is 0"),
        (["plant", "--threshold", "p95"], "is no threshold"),
        (["plant/pump.csv", "--key", "pump"], "is no Parquet data set"),
    ],
)
def test_a_mistake_is_one_line(capsys, arguments, said):
    assert main(["detect", *arguments]) == 2
    last = capsys.readouterr().err.strip().splitlines()[-1]
    assert last.startswith("vaenb: ")
    assert said in last


def test_a_file_larger_than_is_read_at_once_is_scored_in_parts(capsys, monkeypatch):
    from vaenb.fleet import large, terminal

    monkeypatch.setattr(terminal, "LARGE_BYTES", {True: 100, False: 1_000})
    monkeypatch.setattr(large, "PART_VALUES", 100)
    assert main(["detect", "plant/pump.csv", "--window-size", "16"]) == 0
    out, err = capsys.readouterr()
    assert "pump: larger than is read at once" in out
    assert "Written to pump_anomalies: scores, events, detectors, summary.parquet." in out
    assert "300/300" in err
    scores = sorted(Path("pump_anomalies/scores/series=pump").glob("*.parquet"))
    assert sum(len(pd.read_parquet(path)) for path in scores) == 300
    assert main(["detect", "plant/pump.csv", "--window-size", "16", "--json"]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    found = json.loads(out)
    assert found["folder"] == "pump_anomalies"
    assert len(found["events"]) == pd.read_parquet("pump_anomalies/summary.parquet")["n_events"].item()


def test_a_parquet_file_is_large_by_its_numbers(monkeypatch):
    from vaenb.fleet import terminal

    pd.DataFrame({"a": range(50), "b": range(50)}).to_parquet("few.parquet")
    monkeypatch.setattr(terminal, "LARGE_VALUES", 100)
    assert not terminal.is_large("few.parquet")
    monkeypatch.setattr(terminal, "LARGE_VALUES", 99)
    assert terminal.is_large("few.parquet")
    assert not terminal.is_large("none.parquet")
    assert not terminal.is_large("plant")
