"""Saved studies: what comes back is what was there, and what is no study is refused in words."""

import json
import subprocess
import sys
import zipfile
from dataclasses import fields, replace

import numpy as np
import pytest
from make_evidence import make_evidence

import vaenb
from vaenb.bundle import read_bundle, write_bundle
from vaenb.evidence import Evidence
from vaenb.records import History, Series
from vaenb.records_file import setting_to_json
from vaenb.study_file import StudyFile, read_study, write_study


def detector_of(evidence):
    """What a detector would leave in the file, as far as this room looks at it."""
    scores = evidence.series.to_rows(evidence.scores)
    flags = (scores > evidence.rule.threshold_).astype(np.int8)
    params = {name: setting_to_json(value) for name, value in evidence.settings.items()}
    meta = {"kind": "detector", "rule": evidence.rule.to_dict(), "params": params}
    return {"decision_scores_": scores, "labels_": flags}, meta


def saved(path, evidence, **told):
    write_study(path, StudyFile(evidence=evidence, detector=detector_of(evidence), told=told))
    return read_study(path)


def assert_equal(one, other, name=""):
    """Two records, or two values, are the same, bit for bit."""
    if isinstance(one, np.ndarray):
        assert one.dtype == other.dtype, name
        np.testing.assert_array_equal(one, other, err_msg=name)
    elif hasattr(one, "__dataclass_fields__") and not isinstance(one, vaenb.POT):
        assert type(one) is type(other), name
        for field in fields(one):
            assert_equal(getattr(one, field.name), getattr(other, field.name), f"{name}.{field.name}")
    elif isinstance(one, tuple) and one and hasattr(one[0], "__dataclass_fields__"):
        assert len(one) == len(other), name
        for a, b in zip(one, other, strict=True):
            assert_equal(a, b, name)
    elif isinstance(one, vaenb.POT):
        assert one.to_dict() == other.to_dict(), name
    else:
        assert one == other, name


@pytest.mark.parametrize("name", ["nyc_taxi", "server_metrics", "ecg_pvc"])
def test_all_of_the_evidence_comes_back(tmp_path, name):
    evidence = make_evidence(name, n_sample=60)
    found = saved(tmp_path / "x.vaenb", evidence, source="x.csv", runs=[6])
    assert_equal(found.evidence, evidence)
    assert found.told == {"source": "x.csv", "runs": [6]}
    arrays, meta = detector_of(evidence)
    assert found.detector[1] == meta
    assert_equal(found.detector[0]["labels_"], arrays["labels_"])


def test_rows_out_of_order_gaps_and_no_labels_come_back(tmp_path):
    import pandas as pd

    whole = make_evidence(n_points=500, n_sample=30, labelled=False)
    index = pd.date_range("2024-01-01", periods=500, freq="min")
    frame = pd.DataFrame({"value": whole.series.values[:, 0]}, index=index).drop(index[200:205])
    series = vaenb.read_series(frame.sample(frac=1.0, random_state=0), train_end=250)
    found = saved(tmp_path / "x.vaenb", replace(whole, series=series)).evidence
    assert_equal(found.series, series)
    assert found.labels is None


def test_without_a_walk_and_frames(tmp_path):
    bare = replace(
        make_evidence(n_points=400, n_sample=20),
        walk=None,
        frames=(),
        frame_starts=np.empty(0, dtype=np.int64),
        history=History(epochs=(), best_epoch=0, stopped="stop event", warnings=("a", "b")),
    )
    found = saved(tmp_path / "x.vaenb", bare).evidence
    assert_equal(found, bare)


def test_a_training_that_diverged_can_still_be_looked_through(tmp_path):
    evidence = make_evidence(n_points=400, n_sample=20)
    lost = replace(evidence.frames[-1], errors=np.full_like(evidence.frames[-1].errors, np.inf))
    found = saved(tmp_path / "x.vaenb", replace(evidence, frames=(*evidence.frames[:-1], lost))).evidence
    assert np.isinf(found.frames[-1].errors).all()


def test_a_threshold_that_was_moved_is_also_the_detectors(tmp_path):
    evidence = make_evidence(n_points=600)
    rule = vaenb.Percentile(90).fit(evidence.calibration_scores)
    path = tmp_path / "x.vaenb"
    moved = replace(evidence, rule=rule)
    write_study(path, StudyFile(evidence=moved, detector=detector_of(evidence)))
    arrays, meta = read_study(path).detector
    assert meta["rule"] == rule.to_dict()
    assert meta["params"]["threshold"]["method"] == "Percentile"
    np.testing.assert_array_equal(arrays["labels_"], arrays["decision_scores_"] > rule.threshold_)


def test_the_same_study_gives_the_same_bytes(tmp_path):
    evidence = make_evidence(n_points=400, n_sample=20)
    for name in "ab":
        saved(tmp_path / name, evidence)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


# ---------------------------------------------------------------------- what is refused


@pytest.fixture(scope="module")
def good(tmp_path_factory):
    path = tmp_path_factory.mktemp("study") / "good.vaenb"
    saved(path, make_evidence(n_points=400, n_sample=20))
    return path


def rewritten(good, path, change):
    """The good file with something changed in its arrays and JSON."""
    arrays, meta = read_bundle(good)
    change(arrays, meta)
    write_bundle(path, arrays=arrays, meta=meta)
    return path


def test_a_detector_is_no_study(tmp_path):
    write_bundle(tmp_path / "x.vaenb", arrays={}, meta={"kind": "detector"})
    with pytest.raises(
        vaenb.BundleError, match=r"holds a detector without a study: open it with vaenb\.load"
    ):
        read_study(tmp_path / "x.vaenb")
    write_bundle(tmp_path / "x.vaenb", arrays={}, meta={"kind": "poem"})
    with pytest.raises(vaenb.BundleError, match="holds 'poem', not a study"):
        read_study(tmp_path / "x.vaenb")


def test_a_truncated_file_is_refused_wherever_it_ends(good, tmp_path):
    content = good.read_bytes()
    for share in (0.0, 0.01, 0.5, 0.99):
        path = tmp_path / "cut.vaenb"
        path.write_bytes(content[: int(share * len(content))])
        with pytest.raises(vaenb.BundleError, match=r"truncated|not a saved detector"):
            read_study(path)


def test_a_newer_file_says_who_wrote_it(good, tmp_path):
    with zipfile.ZipFile(good) as archive:
        members = {entry.filename: archive.read(entry) for entry in archive.infolist()}
    head = json.loads(members["meta.json"])
    members["meta.json"] = json.dumps({**head, "format_version": 99, "vaenb": "7.0"}).encode()
    path = tmp_path / "new.vaenb"
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    with pytest.raises(vaenb.BundleError, match=r"written by vaenb 7\.0, format 99.*upgrade"):
        read_study(path)


ARRAYS = [
    "scores",
    "reconstruction",
    "spread",
    "normal_by_channel",
    "calibration_scores",
    "frame_starts",
    *(f"sample/{name}" for name in ("starts", "latent", "kl_per_dim", "scores", "mean", "spread", "shares")),
    *(f"walk/{name}" for name in ("origin", "across", "up", "a", "mean", "spread")),
    *(f"series/{name}" for name in ("index", "values", "cells", "labels")),
    *(f"frames/{name}" for name in ("epoch", "mean", "latent", "errors")),
    *(f"history/{name}" for name in ("elbo", "kl")),
]


@pytest.mark.parametrize("name", ARRAYS)
def test_an_array_of_another_length_or_kind_is_refused(good, tmp_path, name):
    def shorten(arrays, _):
        least = 0 if name == "calibration_scores" else -1  # of which there may be any number but none
        arrays[f"evidence/{name}"] = arrays[f"evidence/{name}"][:least]

    def spell(arrays, _):
        arrays[f"evidence/{name}"] = np.full(arrays[f"evidence/{name}"].shape, "x")

    for change in (shorten, spell):
        with pytest.raises(vaenb.BundleError, match=r"does not hold a whole study \(.+\): save it again"):
            read_study(rewritten(good, tmp_path / "bad.vaenb", change))


@pytest.mark.parametrize("name", [name for name in ARRAYS if name != "series/labels"])
def test_an_array_that_is_missing_is_refused(good, tmp_path, name):
    def drop(arrays, _):
        del arrays[f"evidence/{name}"]

    with pytest.raises(vaenb.BundleError, match="does not hold a whole study"):
        read_study(rewritten(good, tmp_path / "bad.vaenb", drop))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("window_size", 0),
        ("window_size", 10**9),
        ("train_stop", -1),
        ("calibration_stop", 10**12),
        ("pinned", 399),
        ("pinned", "x"),
        ("rule", {}),
        ("rule", {"method": "POT", "settings": {}, "fitted": None}),
        ("series", {}),
        ("history", None),
        ("settings", []),
        ("settings", {"threshold": {"method": "os.system"}}),
        ("method", None),
    ],
)
def test_json_that_does_not_fit_is_refused(good, tmp_path, name, value):
    def change(_, meta):
        meta["evidence"][name] = value

    if name == "method":
        assert read_study(rewritten(good, tmp_path / "x", change)).evidence.method == "None"
        return
    with pytest.raises(vaenb.BundleError, match="does not hold a whole study"):
        read_study(rewritten(good, tmp_path / "bad.vaenb", change))


@pytest.mark.parametrize(
    ("name", "value"), [("n_cells", 10**15), ("train_end", 0), ("channels", ["a", "b"]), ("interval", -1.0)]
)
def test_a_series_that_does_not_fit_is_refused(good, tmp_path, name, value):
    def change(_, meta):
        meta["evidence"]["series"][name] = value

    with pytest.raises(vaenb.BundleError, match="does not hold a whole study"):
        read_study(rewritten(good, tmp_path / "bad.vaenb", change))


@pytest.mark.parametrize("key", ["evidence", "detector", "told"])
def test_a_missing_part_is_refused(good, tmp_path, key):
    with pytest.raises(vaenb.BundleError, match="does not hold a whole study"):
        read_study(rewritten(good, tmp_path / "bad.vaenb", lambda _, meta: meta.pop(key)))


def test_scores_that_are_no_numbers_are_refused(good, tmp_path):
    def change(arrays, _):
        arrays["evidence/scores"][3] = np.nan

    with pytest.raises(vaenb.BundleError, match=r"its scores does not fit the rest"):
        read_study(rewritten(good, tmp_path / "bad.vaenb", change))


def test_reading_a_study_imports_no_tensorflow(good):
    code = f"""
import sys
from vaenb.study_file import read_study
read_study({str(good)!r})
assert not {{"tensorflow", "keras", "ipywidgets", "bqplot"}} & set(sys.modules)
"""
    subprocess.run([sys.executable, "-c", code], check=True)


def test_every_field_of_the_records_is_saved():
    """A field that is added to a record must not be forgotten here."""
    assert len(fields(Evidence)) == 18
    assert len(fields(Series)) == 13
