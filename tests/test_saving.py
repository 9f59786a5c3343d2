"""A detector in one file: the same scores bit for bit, and nothing but a BundleError from any other file."""

import builtins
import copy
import errno
import hashlib
import json
import os
import pickle
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

import vaenb
from vaenb.bundle import read_bundle, write_bundle
from vaenb.detector import VAEDetector
from vaenb.errors import BundleError, InputError, OutputError
from vaenb.records import EpochRecord, History
from vaenb.saving import load
from vaenb.thresholding import MAD, POT, AlarmBudget

SMALL = {"window_size": 16, "hidden": (8,), "latent_dim": 3}


def frame(n=400):
    rng = np.random.default_rng(0)
    phase = np.arange(n)[:, None] * 2 * np.pi / 24 + np.arange(2)
    index = pd.date_range("2024-01-01", periods=n, freq="h")
    values = np.sin(phase) + 0.1 * rng.normal(size=(n, 2))
    values[350:360, 1] += 4
    return pd.DataFrame(values, columns=["cpu", "nét"], index=index)


def train_a_little(vae, windows, **options):
    """In place of the training, which is tested elsewhere: move all weights, and tell of three epochs."""
    rng = np.random.default_rng(1)
    for weight in vae.trainable_variables:
        weight.assign(weight + 0.1 * rng.normal(size=weight.shape))
    epochs = [
        EpochRecord(
            epoch=i + 1,
            elbo=-9.0 + i,
            reconstruction=-8.5,
            kl=0.5 * i,
            kl_per_dim=rng.uniform(size=vae.latent_dim),
            active_units=i,
            kl_weight=1.0,
            seconds=0.25,
            calibration_elbo=-7.0 if i else None,
        )
        for i in range(3)
    ]
    return History(epochs=tuple(epochs), best_epoch=2, stopped="early stopping", warnings=("a note",))


def fit(monkeypatch, **settings):
    monkeypatch.setattr("vaenb.fit_steps.train", train_a_little)
    return VAEDetector(**{**SMALL, **settings}).fit(vaenb.read_series(frame(), train_end=300))


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """A detector that was really trained, and its file."""
    detector = VAEDetector(**SMALL, epochs=2, steps_per_epoch=10).fit(
        vaenb.read_series(frame(), train_end=300)
    )
    path = tmp_path_factory.mktemp("saved") / "two channels, é.vaenb"
    detector.save(path)
    return detector, path


def refuse(*args, **options):
    raise AssertionError("this must not be called")


# ---------------------------------------------------------------- there and back


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"encoder": "conv", "likelihood": "student_t", "prior": "mixture", "hidden": (4, 6)},
        {"encoder": "recurrent", "likelihood": "laplace", "scale": "shared", "method": "elbo"},
        {"likelihood": "bernoulli", "scaler": "minmax", "method": "reconstruction_error", "vote": "point"},
        {"hidden": [12, 6], "scaler": "standard", "method": "iwae", "n_samples": 3, "prior": "mixture"},
        {
            "hidden": None,
            "method": "latent",
            "threshold": "percentile:99",
            "seed": np.int64(5),
            "epochs": np.int64(3),
        },
        {"hidden": (), "vote": "window", "threshold": MAD(4), "kl_weight": np.float64(0.5)},
        {"threshold": AlarmBudget(per_day=0.5), "patience": 3, "window_size": "auto"},
        {"threshold": 7, "calibration": 0.3},
    ],
)
def test_what_was_saved_comes_back_and_scores_alike_bit_for_bit(monkeypatch, tmp_path, settings):
    detector = fit(monkeypatch, **settings)
    detector.save(tmp_path / "a.vaenb")
    found = load(tmp_path / "a.vaenb")
    monkeypatch.setattr("vaenb.fit_steps.train", refuse)
    np.testing.assert_array_equal(found.decision_function(frame()), detector.decision_function(frame()))
    pd.testing.assert_frame_equal(found.detect(frame()), detector.detect(frame()))
    assert found.threshold_ == detector.threshold_
    assert repr(found) == repr(detector).replace("[12, 6]", "(12, 6)")
    assert (repr(found.rule_), found.rule_.promise) == (repr(detector.rule_), detector.rule_.promise)
    found.save(tmp_path / "b.vaenb")
    assert (tmp_path / "b.vaenb").read_bytes() == (tmp_path / "a.vaenb").read_bytes()


@pytest.mark.parametrize("share", [0.01, 0.5])
def test_missing_points_are_filled_after_loading_as_before(monkeypatch, tmp_path, share):
    table = frame()
    table[np.random.default_rng(0).random(len(table)) < share] = np.nan
    monkeypatch.setattr("vaenb.fit_steps.train", train_a_little)
    detector = VAEDetector(**SMALL).fit(table)
    assert detector.imputes_ == (share < 0.1)  # else hardly a window is whole
    detector.save(tmp_path / "a.vaenb")
    found = load(tmp_path / "a.vaenb")
    assert found.imputes_ == detector.imputes_
    np.testing.assert_array_equal(found.decision_function(table), detector.decision_function(table))
    detector.imputes_ = not detector.imputes_
    assert not np.allclose(detector.decision_function(table), found.decision_function(table))


def test_everything_fitted_comes_back(saved):
    detector, path = saved
    found = vaenb.load(path)
    for name in (
        "decision_scores_",
        "labels_",
        "calibration_scores_",
        "latent_",
        "latent_scores_",
        "normal_by_channel_",
    ):
        there, here = getattr(found, name), getattr(detector, name)
        np.testing.assert_array_equal(there, here)
        assert there.dtype == here.dtype
    for name in ("window_size_", "channels_", "train_stop_", "points_per_day_", "notes_", "seconds_"):
        assert getattr(found, name) == getattr(detector, name)
    assert found.get_params() == detector.get_params()
    for name in ("center_", "scale_", "constant_"):
        np.testing.assert_array_equal(getattr(found.scaler_, name), getattr(detector.scaler_, name))
    for name in ("lengths_", "median_", "sigma_"):
        np.testing.assert_array_equal(getattr(found.lengths_, name), getattr(detector.lengths_, name))


def test_the_history_comes_back(monkeypatch, tmp_path):
    detector = fit(monkeypatch)
    detector.save(tmp_path / "a.vaenb")
    found = load(tmp_path / "a.vaenb").history_
    assert (found.best_epoch, found.stopped, found.warnings) == (2, "early stopping", ("a note",))
    for there, here in zip(found.epochs, detector.history_.epochs, strict=True):
        np.testing.assert_array_equal(there.kl_per_dim, here.kl_per_dim)
        plain = {name: value for name, value in vars(here).items() if name != "kl_per_dim"}
        assert {name: getattr(there, name) for name in plain} == plain
        assert type(there.epoch) is type(there.active_units) is int


def test_a_training_stopped_before_its_first_epoch_can_be_saved(monkeypatch, tmp_path):
    nothing = History(epochs=(), best_epoch=0, stopped="stop event")
    monkeypatch.setattr("vaenb.fit_steps.train", lambda *args, **options: nothing)
    detector = VAEDetector(**SMALL).fit(frame())
    detector.save(tmp_path / "a.vaenb")
    assert load(tmp_path / "a.vaenb").history_.epochs == ()


def test_another_process_scores_alike_bit_for_bit(saved, tmp_path):
    detector, path = saved
    frame().to_parquet(tmp_path / "values.parquet")
    ask = (
        "import sys, hashlib, pandas, vaenb\n"
        "scores = vaenb.load(sys.argv[1]).decision_function(pandas.read_parquet(sys.argv[2]))\n"
        "print(hashlib.sha256(scores.to_numpy().tobytes()).hexdigest())"
    )
    command = [sys.executable, "-c", ask, str(path), str(tmp_path / "values.parquet")]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    here = hashlib.sha256(detector.decision_function(frame()).to_numpy().tobytes()).hexdigest()
    assert done.stdout.strip() == here


def test_the_threshold_is_kept_in_the_units_of_the_scores(saved):
    detector, path = saved
    found = load(path)
    assert repr(found.threshold) == repr(detector.threshold)
    np.testing.assert_array_equal(found.predict(frame()), detector.predict(frame()))
    assert found.rule_.threshold_ == detector.threshold_


# ---------------------------------------------------------------- what is no detector


def no_bundle(kind, path):
    content = {
        "empty": b"",
        "csv": b"timestamp,value\n2024-01-01,3\n",
        "pickle": pickle.dumps({"threshold_": 3.0}),
        "noise": np.random.default_rng(0).bytes(5000),
        "zeros": bytes(5000),
        "a zip's first bytes": b"PK\x03\x04" + bytes(200),
    }[kind]
    path.write_bytes(content)
    return path


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("empty", "not a saved detector: it seems to be empty"),
        ("csv", "not a saved detector"),
        ("pickle", "a Python pickle, which can run code and is never opened"),
        ("noise", "not a saved detector"),
        ("zeros", "not a saved detector"),
        ("a zip's first bytes", "truncated or damaged"),
    ],
)
def test_a_file_of_another_kind_is_refused(tmp_path, kind, said):
    with pytest.raises(BundleError, match=said):
        load(no_bundle(kind, tmp_path / "x.vaenb"))


def test_no_file_and_a_folder_are_refused(tmp_path):
    with pytest.raises(BundleError, match=r"There is no file .*absent\.vaenb"):
        load(tmp_path / "absent.vaenb")
    with pytest.raises(BundleError, match="cannot be opened"):
        load(tmp_path)


def test_a_bundle_of_another_kind_is_refused(tmp_path):
    write_bundle(tmp_path / "x", arrays={}, meta={"kind": "checkpoint"})
    with pytest.raises(BundleError, match="holds 'checkpoint', not a detector"):
        load(tmp_path / "x")
    write_bundle(tmp_path / "x", arrays={}, meta={"kind": "detector"})
    with pytest.raises(
        BundleError, match=r"does not hold a whole detector \(there is no 'params'\): save it again"
    ):
        load(tmp_path / "x")


def test_a_truncated_file_is_refused_wherever_it_ends(saved, tmp_path):
    content = saved[1].read_bytes()
    ends = np.unique(np.concatenate([np.arange(60), np.linspace(0, len(content) - 1, 100).astype(int)]))
    for end in ends:
        (tmp_path / "x.vaenb").write_bytes(content[:end])
        with pytest.raises(BundleError, match=r"truncated or damaged|not a saved detector"):
            load(tmp_path / "x.vaenb")


def test_a_file_of_a_newer_version_is_refused(saved, tmp_path, monkeypatch):
    arrays, meta = read_bundle(saved[1])
    with monkeypatch.context() as later:
        later.setattr("vaenb.bundle.FORMAT_VERSION", 7)
        later.setattr("vaenb.bundle.__version__", "9.1")
        write_bundle(tmp_path / "x.vaenb", arrays=arrays, meta=meta)
    with pytest.raises(
        BundleError, match=r"written by vaenb 9\.1, format 7; .*upgrade with pip install -U vaenb"
    ):
        load(tmp_path / "x.vaenb")


# ---------------------------------------------------------------- hostile files


class Small:
    """In place of a VAE: it only looks at how large it would become."""

    made = 0

    def __init__(self, **settings):
        type(self).made += 1
        assert settings["window_size"] <= 400
        assert settings["latent_dim"] <= 3
        self.trainable_variables = [Slot() for _ in range(12)]


class Slot:
    def assign(self, value):
        assert value.size < 1000


@pytest.fixture
def parts(saved, monkeypatch):
    monkeypatch.setattr("vaenb.model.VAE", Small)
    Small.made = 0
    arrays, meta = read_bundle(saved[1])
    return dict(arrays), meta


def reload(parts, tmp_path):
    write_bundle(tmp_path / "x.vaenb", arrays=parts[0], meta=parts[1])
    return load(tmp_path / "x.vaenb")


def test_the_untouched_parts_load(parts, tmp_path):
    assert reload(parts, tmp_path).window_size_ == 16


def test_each_array_is_missed_when_it_is_missing(parts, tmp_path):
    arrays, meta = parts
    for name in arrays:
        rest = {key: value for key, value in arrays.items() if key != name}
        with pytest.raises(BundleError, match="does not hold a whole detector"):
            reload((rest, meta), tmp_path)


def test_each_part_of_the_description_is_missed_when_it_is_missing(parts, tmp_path):
    arrays, meta = parts
    for name in meta:
        if name != "versions":  # which are told, not needed
            rest = {key: value for key, value in meta.items() if key != name}
            with pytest.raises(BundleError, match=r"does not hold a whole detector|holds 'None'"):
                reload((arrays, rest), tmp_path)


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("weight_0", np.zeros((16, 8), np.float32), "its weights have other shapes than its model"),
        ("weight_0", np.zeros((8, 32)), "its weights are not finite numbers"),
        ("weight_0", np.full((8, 32), np.nan, np.float32), "its weights are not finite numbers"),
        ("weight_12", np.zeros(3, np.float32), "its weights have other shapes"),
        ("scaler_center", np.zeros(3), "arrays of different lengths"),
        ("scaler_scale", np.array([1.0, 0.0]), "a scale that is not a positive number"),
        ("scaler_kind", np.array("evil"), "The scaler is 'evil'"),
        ("lengths_median", np.zeros(3), "saved scales"),
        ("lengths_lengths", np.zeros(3, np.int64), "saved scales"),
        ("decision_scores_", np.zeros((400, 2)), "its decision_scores_ does not fit the rest"),
        ("decision_scores_", np.zeros(400, np.float32), "its decision_scores_ does not fit the rest"),
        ("labels_", np.zeros(7, np.int8), "its labels_ does not fit the rest"),
        ("calibration_scores_", np.zeros(3), "its window_size does not fit the rest"),
        ("normal_by_channel_", np.zeros(3), "its normal_by_channel_ does not fit the rest"),
        ("latent_", np.zeros((5, 9), np.float32), "its latent_ does not fit the rest"),
        ("latent_scores_", np.zeros(2), "its latent_scores_ does not fit the rest"),
        ("history_elbo", np.zeros(9), "its training curves have different lengths"),
        ("history_epoch", np.array([1.0, np.nan]), "NaN"),
    ],
)
def test_an_array_that_does_not_belong_is_refused(parts, tmp_path, name, value, said):
    parts[0][name] = value
    with pytest.raises(BundleError, match=said):
        reload(parts, tmp_path)
    assert Small.made == 0 or name.startswith("history")


def test_swapped_arrays_are_refused(parts, tmp_path):
    arrays, meta = parts
    swapped = {**arrays, "weight_0": arrays["weight_2"], "weight_2": arrays["weight_0"]}
    with pytest.raises(BundleError, match="its weights have other shapes than its model"):
        reload((swapped, meta), tmp_path)


@pytest.mark.parametrize(
    "change",
    [
        {"window_size": 10**12},
        {"latent_dim": 2**31 - 1},
        {"hidden": [10**9]},
        {"hidden": [1] * 100_000},
        {"hidden": []},
        {"n_channels": 10**9},
        {"encoder": "conv"},
        {"encoder": "recurrent", "window_size": 10**9},
        {"prior": "mixture"},
        {"likelihood": "student_t"},
        {"name": "vae", "layers": [], "input_layers": [], "output_layers": []},
        {"inputs": [], "outputs": []},
        {"seed": -1},
        {"kl_weight": "1"},
    ],
    ids=str,
)
def test_a_model_of_another_size_is_never_built(parts, tmp_path, monkeypatch, change):
    monkeypatch.setattr("vaenb.model.VAE", refuse)
    parts[1]["model"].update(change)
    with pytest.raises(BundleError, match="does not hold a whole detector"):
        reload(parts, tmp_path)


def leaves(value, path=()):
    """The places of all numbers, texts and lists in a description."""
    yield path
    parts = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in parts:
        yield from leaves(item, (*path, key))


def test_any_value_in_any_place_gives_a_detector_or_a_bundle_error(parts, tmp_path):
    arrays, meta = parts
    odd = [None, True, -1, 10**15, 1e300, "x", "", [], [[1]], {}, {"method": "POT"}]
    refused = 0
    for path in list(leaves(meta))[1:]:
        for value in odd:
            changed = copy.deepcopy(meta)
            place = changed
            for key in path[:-1]:
                place = place[key]
            place[path[-1]] = value
            said = refusal(lambda: reload((arrays, changed), tmp_path))  # noqa: B023 - called at once
            refused += bool(said)
            assert "\n" not in said
            assert len(said) < 400
    assert refused > 200


def refusal(action):
    """What a BundleError says, or nothing where there is none; any other error goes on its way."""
    try:
        action()
    except BundleError as error:
        return str(error)
    return ""


def test_any_changed_byte_gives_a_detector_or_a_bundle_error(saved, parts, tmp_path):
    content, rng = saved[1].read_bytes(), np.random.default_rng(0)
    for place in [
        *range(60),
        *rng.integers(0, len(content), 150),
        *range(len(content) - 60, len(content)),
    ]:
        changed = bytearray(content)
        changed[place] ^= int(rng.integers(1, 256))
        (tmp_path / "x.vaenb").write_bytes(changed)
        said = refusal(lambda: load(tmp_path / "x.vaenb"))
        assert "x.vaenb" in said or not said


def test_nothing_in_a_file_is_executed(saved, monkeypatch):
    for name in ("load", "loads", "Unpickler"):
        monkeypatch.setattr(pickle, name, refuse)
    monkeypatch.setattr(np, "load", refuse)
    monkeypatch.setattr("keras.saving.deserialize_keras_object", refuse)
    monkeypatch.setattr("keras.Model.from_config", refuse)
    with monkeypatch.context() as patched:
        patched.setattr(builtins, "eval", refuse)
        found = load(saved[1])
    assert found.threshold_ == saved[0].threshold_


def test_a_bundle_holds_arrays_and_json_only(saved):
    arrays, meta = read_bundle(saved[1])
    assert all(value.dtype.kind in "fiubU" for value in arrays.values())
    assert json.loads(json.dumps(meta)) == meta
    assert set(meta["versions"]) == {"vaenb", "numpy", "tensorflow"}
    assert meta["rule"]["fitted"]["threshold_"] == saved[0].threshold_


# ---------------------------------------------------------------- whole or not at all


def test_an_existing_file_survives_a_failed_save(saved, tmp_path, monkeypatch):
    path = tmp_path / "kept.vaenb"
    path.write_bytes(b"what was there")
    monkeypatch.setattr(os, "replace", full_disk)
    with pytest.raises(OutputError, match=r"Cannot write .*kept\.vaenb.*the disk is full"):
        saved[0].save(path)
    assert path.read_bytes() == b"what was there"
    assert [each.name for each in tmp_path.iterdir()] == ["kept.vaenb"]


def full_disk(*args):
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_a_folder_that_is_not_there_is_told(saved, tmp_path):
    with pytest.raises(OutputError, match="its folder does not exist"):
        saved[0].save(tmp_path / "absent" / "x.vaenb")


def test_what_is_not_fitted_cannot_be_saved(tmp_path):
    with pytest.raises(InputError, match=r"not fitted: there is nothing to save; call fit\(series\) first"):
        VAEDetector(threshold=POT()).save(tmp_path / "x.vaenb")
    assert not any(tmp_path.iterdir())
