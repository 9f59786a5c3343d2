"""`vaenb.Study`: six panels and what connects them, moved from Python as a person would."""

import asyncio
import gc
import json
import os
import subprocess
import sys
import threading
import time

import numpy as np
import pandas as pd
import pytest
from ipywidgets.widgets.widget import _instances

import vaenb
from vaenb.study_source import same_series
from vaenb.view_models.study_steps import DEFAULTS, KEYS

SMALL = {"window_size": 16, "latent_dim": 3, "hidden": (16,), "epochs": 2, "steps_per_epoch": 5, "seed": 1}
QUIET = {**SMALL, "verdicts": None}


def wave(n=500):
    rng = np.random.default_rng(0)
    index = pd.date_range("2024-01-01", periods=n, freq="h")
    values = np.sin(np.arange(n) * 2 * np.pi / 24) + 0.1 * rng.normal(size=n)
    values[400:412] += 3
    labels = np.zeros(n, dtype=int)
    labels[400:412] = 1
    return vaenb.read_series(pd.DataFrame({"load": values, "label": labels}, index=index), train_end=300)


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def study():
    made = vaenb.Study(wave(), **QUIET)
    yield made
    made.close()


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """A study that was run, moved about in and saved; where it is, and what it was."""
    path = tmp_path_factory.mktemp("saved") / "wave.vaenb"
    study = vaenb.Study(wave(), **QUIET)
    study.run()
    study.show("threshold")
    panel = study.panel.owner.open_step("threshold")
    panel.use_rule(0)
    study.save(path)
    told = {
        "threshold": study.threshold,
        "starts": study.events.start.tolist(),
        "scores": study.evidence.scores,
        "detector": study.detector,
    }
    study.close()
    return path, told


def states(study):
    return [study.plan.state(key) for key in KEYS]


def step_panel(study, key):
    study.show(key)
    return study.open_step(key)


def until(true, seconds=60):
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.02)


# ---------------------------------------------------------------------- the way through


def test_defaults_are_those_of_the_detector():
    assert vaenb.VAEDetector().get_params() == DEFAULTS


def test_a_study_opens_without_tensorflow_and_without_a_panel():
    code = """
import sys, vaenb
study = vaenb.Study(vaenb.load_dataset("toy_daily"))
assert not {"tensorflow", "keras", "bqplot"} & set(sys.modules)
study.show(1)
study.show(2)
assert not {"tensorflow", "keras"} & set(sys.modules)
"""
    subprocess.run([sys.executable, "-c", code], check=True)


def test_everything_runs_with_one_call_and_gives_what_the_detector_gives(study):
    study.run()
    assert states(study) == ["done"] * 6
    assert study.panel.shown == "judge"
    detector = vaenb.VAEDetector(**SMALL).fit(wave())
    assert study.threshold == detector.threshold_
    np.testing.assert_array_equal(study.evidence.scores, detector.decision_scores_)
    found = detector.find_events(wave())
    np.testing.assert_array_equal(study.events.start, found.start)
    np.testing.assert_array_equal(study.events.stop, found.stop)
    np.testing.assert_allclose(study.events.severity, found.severity)
    assert study.detector.threshold_ == detector.threshold_
    assert len(study.history) == 2
    assert [frame.epoch for frame in study.evidence.frames] == [0, 1, 2]
    assert study.evidence.settings["latent_dim"] == 3


def test_the_buttons_lead_through_the_six_steps(study):
    study.show(1)
    panel, seen = study.panel, []
    for _ in range(12):
        if panel.next.disabled:
            break
        seen.append(panel.next.description)
        panel.next.click()
        study.wait(60)
    assert seen == [
        "Next: 2 Build the VAE",
        "Next: 3 Train",
        "Start the training",
        "Next: 4 Score",
        "Next: 5 Set the threshold",
        "Next: 6 Judge",
    ]
    assert states(study) == ["done"] * 6
    assert panel.run.disabled
    assert not panel.save.disabled


def test_one_button_runs_everything(study):
    study.show(1)
    study.panel.run.click()
    assert study.panel.run.disabled
    assert not study.panel.stop.disabled
    assert study.wait(60)
    assert study.panel.shown == "judge"
    assert study.panel.stop.disabled
    assert "All six steps are done." in study.panel._status.value


def test_the_path_shows_each_state_in_words_and_with_a_mark(study):
    study.run("training")
    study.open_step("data").choose(calibration=0.4)
    until(lambda: study.plan.settings("data")["calibration"] == 0.4)
    labels = [button.description for button in study.panel._steps.values()]
    assert labels == [
        "1 Prepare data\n✓ done",
        "2 Build the VAE\n! out of date",
        "3 Train\n! out of date",
        "4 Score\nto do",
        "5 Set the threshold\nto do",
        "6 Judge\nto do",
    ]


def test_a_step_that_has_nothing_to_show_says_what_comes_first(study):
    study.show(6)
    assert study.panel._slot.children == ()
    assert "Nothing to see yet: 2 Build the VAE comes first" in study.panel._note.value or (
        "Nothing to see yet: 1 Prepare data comes first" in study.panel._note.value
    )
    assert study.panel._note.layout.display is None


def test_panels_are_made_once_and_replaced_only_when_what_they_show_is_replaced(study):
    study.run()
    panels = {key: study.open_step(key) for key in KEYS}
    assert {key: study.open_step(key) for key in KEYS} == panels
    study.open_step("model").choose(latent_dim=2)
    assert study.plan.stale == ("model", "training", "scores", "threshold", "judge")
    study.run()
    now = {key: study.open_step(key) for key in KEYS}
    assert [key for key in KEYS if now[key] is not panels[key]] == [
        "training",
        "scores",
        "threshold",
        "judge",
    ]
    assert all(panels[key].is_closed for key in ("training", "scores", "threshold", "judge"))
    assert study.evidence.sample.latent.shape[1] == 2


def test_a_change_upstream_can_be_taken_back(study):
    study.run()
    data = step_panel(study, "data")
    data.choose(window_size=20)
    until(lambda: len(study.plan.stale) == 5)
    data.choose(window_size=16)
    until(lambda: not study.plan.stale)


def test_a_training_that_goes_on_makes_the_scores_stale_and_is_scored_anew(study):
    study.run()
    before = study.evidence.scores
    panel = step_panel(study, "training")
    panel.start(3)
    panel.wait()
    assert study.plan.stale == ("scores", "threshold", "judge")
    assert study.plan.outcome("training") == (2, 3)
    study.run()
    assert len(study.history) == 5
    assert study.detector.epochs == 5
    assert not np.array_equal(study.evidence.scores, before)
    assert len(study.evidence.frames) == 6


def test_the_training_can_be_started_in_its_own_panel(study):
    study.run("model")
    panel = step_panel(study, "training")
    panel.start()
    panel.wait()
    assert study.plan.is_done("training")
    assert study.plan.next == "scores"


def test_another_way_to_score(study):
    study.run()
    study.show("scores")
    before = study.evidence.scores
    controls = study.panel.scores
    assert controls.settings == {"method": "reconstruction_probability", "vote": "lengths", "n_samples": 8}
    controls.method.value = "elbo"
    assert study.plan.stale == ("scores", "threshold", "judge")
    assert "Chosen anew" in study.panel._note.value
    study.panel.next.click()
    study.wait(60)
    assert study.evidence.method == "elbo"
    assert not np.array_equal(study.evidence.scores, before)
    controls.method.value = "reconstruction_error"
    controls.vote.value = "point"
    controls.method.value = "latent"  # which has no errors of single points
    assert study.plan.settings("scores")["vote"] == "lengths"


def test_a_line_that_is_dragged_moves_threshold_detector_and_events(study):
    study.run()
    panel = step_panel(study, "threshold")
    panel.threshold = float(np.quantile(study.evidence.scores, 0.9))
    assert study.threshold == panel.threshold == study.detector.threshold_
    assert study.detector.labels_.sum() == (study.evidence.scores > panel.threshold).sum()
    np.testing.assert_array_equal(study.events.start, panel.events.start)
    judge = step_panel(study, "judge")
    np.testing.assert_array_equal(judge.events.start, panel.events.start)
    assert states(study) == ["done"] * 6
    panel.min_length = 5
    panel.merge_gap = 2
    judge = step_panel(study, "judge")
    np.testing.assert_array_equal(judge.events.stop, panel.events.stop)
    np.testing.assert_array_equal(study.events.stop, panel.events.stop)
    again = step_panel(study, "scores").view.flagged.sum()
    assert again > 0  # the cloud knows the new line


def test_the_calibration_part_and_the_training_part_can_be_moved(study):
    data = step_panel(study, "data")
    data.choose(train_end=350, calibration=0.3)
    until(lambda: study.plan.settings("data")["calibration"] == 0.3 and study.plan.is_done("data"))
    study.run()
    assert study.evidence.calibration_stop == 350
    assert study.evidence.series.train_end == 350
    assert study.series.train_end == 300


# ---------------------------------------------------------------------- stopping, failing, ending


def test_stop_ends_the_training_and_what_was_learnt_can_be_scored():
    study = vaenb.Study(wave(), **{**QUIET, "epochs": 100_000})
    study.start()
    until(lambda: study._engine.training is not None and len(study._engine.training.frames) > 2)
    study.panel.stop.click()
    assert study.wait(60)
    assert study.plan.is_done("training")
    assert study.plan.next == "scores"
    assert 0 < len(study.history) < 100_000
    study.run()
    assert states(study) == ["done"] * 6
    study.close()


def test_closing_ends_the_training_and_leaves_nothing():
    before, threads = len(_instances), threading.active_count()
    study = vaenb.Study(wave(), **{**QUIET, "epochs": 100_000})
    study.show(1)
    study.start()
    until(lambda: study._engine.training is not None and len(study._engine.training.frames) > 1)
    study.close()
    study.close()
    assert not study.is_running
    until(lambda: threading.active_count() <= threads)
    assert len(_instances) == before
    with pytest.raises(vaenb.InputError, match="was closed"):
        study.start()


def test_open_use_and_close_fifty_times_leaves_no_widget(saved):
    before = None
    for turn in range(50):
        study = vaenb.Study.load(saved[0], verdicts=None)
        for key in KEYS if turn < 3 else KEYS[turn % 6 :][:1]:
            study.show(key)
        study.close()
        if turn == 2:
            gc.collect()
            before = len(_instances)
    assert len(_instances) == before


def test_an_error_is_a_line_in_the_panel_and_reaches_who_waits():
    study = vaenb.Study(wave(), **QUIET, likelihood="bernoulli")
    study.show(1)
    study.panel.run.click()
    with pytest.raises(vaenb.InputError, match="scaler"):
        study.wait(60)
    assert "InputError: The windows hold values" in study.panel._failure.value
    assert study.panel._failure.layout.display is None
    assert study.plan.running is None
    assert not study.panel.run.disabled
    study.open_step("data").choose(scaler="minmax")
    until(lambda: study.plan.settings("data")["scaler"] == "minmax")
    study.run()
    assert study.panel._failure.layout.display == "none"
    study.close()


def test_a_series_that_is_too_short_is_told_in_step_one():
    study = vaenb.Study(wave(), **{**QUIET, "window_size": 200})
    study.show(1)
    assert study.plan.state("data") == "ready"
    with pytest.raises(vaenb.InputError, match="fewer than"):
        study.run()
    study.close()


def test_what_a_step_warns_of_is_a_note_and_not_a_warning():
    series = vaenb.read_series(wave(), labels=(np.arange(500) >= 400) & (np.arange(500) < 412))
    study = vaenb.Study(series, **QUIET, threshold="best_f1")
    study.run()
    study.show("threshold")
    assert study.notes
    assert study.notes[0][:30] in study.panel._note.value
    study.close()


def test_await_finished_runs_it_and_raises_what_went_wrong():
    study = vaenb.Study(wave(), **QUIET)
    asyncio.run(study.finished())
    assert states(study) == ["done"] * 6
    study.close()
    wrong = vaenb.Study(wave(), **QUIET, likelihood="bernoulli")
    with pytest.raises(vaenb.InputError, match="Bernoulli"):
        asyncio.run(wrong.finished())
    wrong.close()


def test_a_wrong_setting_or_source_is_refused_at_once():
    before = len(_instances)
    with pytest.raises(vaenb.InputError, match="There is no setting 'epoch'"):
        vaenb.Study(wave(), epoch=3)
    with pytest.raises(vaenb.InputError, match="train_end"):
        vaenb.Study(wave(), train_end=10**6)
    with pytest.raises(vaenb.InputError):
        vaenb.Study("there_is_no_such_file.csv")
    assert len(_instances) == before


def test_frames_arrays_and_paths_are_read(tmp_path):
    frame = wave().frame
    for source in (frame, frame.to_numpy(), tmp_path / "wave.csv"):
        if isinstance(source, os.PathLike):
            frame.to_csv(source)
        study = vaenb.Study(source, train_end=300, **QUIET)
        assert study.plan.settings("data")["train_end"] == 300
        assert study.series.n_channels == 1
        study.close()


def test_two_studies_do_not_disturb_each_other(saved):
    one, other = (vaenb.Study.load(saved[0], verdicts=None) for _ in range(2))
    step_panel(one, "threshold").threshold = 9.0
    step_panel(other, "threshold")
    assert (one.threshold, other.threshold) == (9.0, saved[1]["threshold"])
    one.close()
    step_panel(other, "judge")
    assert states(other) == ["done"] * 6
    other.close()


# ---------------------------------------------------------------------- files


def test_a_saved_study_opens_as_it_was(saved):
    path, told = saved
    study = vaenb.Study.load(path, verdicts=None)
    assert states(study) == ["done"] * 6
    assert study.threshold == told["threshold"]
    assert study.events.start.tolist() == told["starts"]
    np.testing.assert_array_equal(study.evidence.scores, told["scores"])
    assert study.plan.params == {
        **DEFAULTS,
        **SMALL,
        "threshold": study.plan.params["threshold"],
    }
    training = step_panel(study, "training")
    for epoch in range(3):
        training.show_epoch(epoch)
        assert training.view.frame.epoch == epoch
    assert study.detector.threshold_ == told["threshold"]
    np.testing.assert_array_equal(
        study.detector.decision_function(study.series), told["detector"].decision_function(study.series)
    )
    study.close()


def test_load_gives_the_detector_of_a_saved_study(saved):
    path, told = saved
    detector = vaenb.load(path)
    assert detector.threshold_ == told["threshold"]
    np.testing.assert_array_equal(detector.decision_scores_, told["scores"])


def test_a_saved_study_saved_again_is_the_same_file(saved, tmp_path):
    study = vaenb.Study.load(saved[0], verdicts=None)
    study.save(tmp_path / "again.vaenb")
    assert (tmp_path / "again.vaenb").read_bytes() == saved[0].read_bytes()
    step_panel(study, "threshold").threshold = 3.5
    study.save(tmp_path / "moved.vaenb")
    assert vaenb.load(tmp_path / "moved.vaenb").threshold_ == 3.5
    study.close()


def test_a_saved_study_is_scored_anew_and_trained_anew(saved):
    study = vaenb.Study.load(saved[0], verdicts=None)
    study.choose("scores", {"method": "elbo"})
    assert study.plan.to_do == ("scores", "threshold", "judge")
    study.run()
    assert study.evidence.method == "elbo"
    assert len(study.evidence.frames) == 3
    study.choose("model", {"latent_dim": 2})
    study.run()
    assert study.evidence.sample.latent.shape[1] == 2
    study.close()


WITHOUT_TENSORFLOW = """
import sys
for name in ("tensorflow", "keras", "tensorflow_probability", "tf_keras"):
    sys.modules[name] = None
import numpy as np
import vaenb
study = vaenb.Study.load({path!r}, verdicts=None)
made = {{}}
for key in ("data", "model", "training", "scores", "threshold", "judge"):
    study.show(key)
    made[key] = study.open_step(key)
    assert "<svg" in made[key].picture()
    made[key].code()
assert {{type(panel).__name__ for panel in made.values()}} == {{
    "DataPanel", "ModelPanel", "TrainingPanel", "LatentPanel", "ThresholdPanel", "JudgePanel"
}}
made["training"].show_epoch(1)
made["scores"].selected = [0, 1, 2]
made["scores"].walk_at = (0.5, -0.5)
assert made["scores"].view.drawing() is not None
before = len(study.events)
made["threshold"].threshold = float(np.quantile(study.evidence.scores, 0.8))
assert len(study.events) != before
study.show("judge")
made["judge"].judge("anomaly", note="seen")
assert len(made["judge"].verdicts) == 1
study.save({again!r})
assert "alt=" in study.snapshot()
study.choose("model", {{"latent_dim": 2}})
try:
    study.run()
except vaenb.InputError as error:
    assert "TensorFlow cannot be imported here" in str(error), error
else:
    raise SystemExit("a model was built without TensorFlow")
assert "TensorFlow cannot be imported" in study.panel._failure.value
study.close()
"""


def test_a_saved_study_works_where_tensorflow_cannot_be_imported(saved, tmp_path):
    code = WITHOUT_TENSORFLOW.format(path=str(saved[0]), again=str(tmp_path / "again.vaenb"))
    subprocess.run([sys.executable, "-c", code], check=True)
    detector = vaenb.load(tmp_path / "again.vaenb")
    assert detector.threshold_ < saved[1]["threshold"]


def test_files_are_never_overwritten_without_a_name(study, tmp_path):
    study.run()
    assert study.save().startswith("Saved series.vaenb (")
    assert study.save().startswith("Saved series-2.vaenb (")
    study.panel.save.click()
    assert "Saved series-3.vaenb" in study.panel._status.value
    study.save(tmp_path / "series.vaenb")  # named: as one says
    assert len(list(tmp_path.glob("*.vaenb"))) == 3
    study.panel.notebook.click()
    assert "Wrote series_study.ipynb" in study.panel._status.value
    assert study.save_notebook("series_study.ipynb").startswith("Wrote series_study-2.ipynb")


def test_a_file_that_cannot_be_written_is_a_line_in_the_panel(study, tmp_path):
    study.run()
    with pytest.raises(vaenb.OutputError, match="its folder does not exist"):
        study.save(tmp_path / "nowhere" / "x.vaenb")
    with pytest.raises(vaenb.OutputError, match="its folder does not exist"):
        study.save_notebook(tmp_path / "nowhere" / "x.ipynb")
    assert not list(tmp_path.iterdir())


def test_what_is_not_done_or_out_of_date_is_not_saved(study, tmp_path):
    with pytest.raises(
        vaenb.InputError, match=r"Step 1 Prepare data is not done .*run the study, then save it"
    ):
        study.save(tmp_path / "x.vaenb")
    study.run()
    study.choose("model", {"latent_dim": 2})
    with pytest.raises(vaenb.InputError, match=r"Step 2 Build the VAE is not done .*write a notebook of it"):
        study.save_notebook()
    assert study.panel.save.disabled
    for what in (lambda: vaenb.Study(wave()).detector, lambda: vaenb.Study(wave()).events):
        with pytest.raises(vaenb.InputError, match="run it first"):
            what()


# ---------------------------------------------------------------------- the notebook


def run_notebook(path):
    """Run it in a fresh kernel, and give back its threshold and events."""
    import nbformat
    from nbclient import NotebookClient

    book = nbformat.read(path, as_version=4)
    nbformat.validate(book)
    book.cells.append(
        nbformat.v4.new_code_cell(
            "import json\nprint(json.dumps([rule.threshold_, events.start.tolist(), events.stop.tolist()]))"
        )
    )
    client = NotebookClient(book, timeout=300, resources={"metadata": {"path": str(path.parent)}})
    client.execute()
    return json.loads(book.cells[-1].outputs[0].text)


def assert_reproduces(study, path):
    threshold, start, stop = run_notebook(path)
    assert threshold == study.threshold
    assert start == study.events.start.tolist()
    assert stop == study.events.stop.tolist()


def test_the_notebook_reproduces_a_study_that_was_changed_in_every_step(study, tmp_path):
    data = step_panel(study, "data")
    data.choose(train_end=320, calibration=0.25)
    until(lambda: study.plan.settings("data")["calibration"] == 0.25)
    study.choose("model", {"latent_dim": 2, "prior": "mixture"})
    study.run()
    panel = step_panel(study, "training")
    panel.start(1)
    panel.wait()
    study.choose("scores", {"vote": "window"})
    study.run()
    line = step_panel(study, "threshold")
    line.threshold = float(np.quantile(study.evidence.scores, 0.93))
    line.merge_gap, line.min_length = 3, 2
    assert len(study.events) > 0
    assert study.save_notebook() == (
        "Wrote series_study.ipynb, and the series beside it in series_study_series.parquet."
    )
    assert_reproduces(study, tmp_path / "series_study.ipynb")


def test_the_notebook_of_a_bundled_series_names_it_and_has_a_rule(tmp_path):
    series = vaenb.load_dataset("toy_daily")
    study = vaenb.Study(series, verdicts=None, **{**SMALL, "window_size": "auto"}, threshold="percentile:99")
    study.run()
    assert study.save_notebook("here.ipynb") == "Wrote here.ipynb."
    text = (tmp_path / "here.ipynb").read_text(encoding="utf-8")
    assert "vaenb.load_dataset('toy_daily')" in text
    assert "vaenb.Percentile(q=99.0)" in text
    assert_reproduces(study, tmp_path / "here.ipynb")
    study.close()


def test_the_notebook_of_a_file_reads_the_file(tmp_path):
    wave().frame.to_csv(tmp_path / "wave.csv")
    (tmp_path / "books").mkdir()
    study = vaenb.Study(tmp_path / "wave.csv", **QUIET)
    study.run()
    study.save_notebook(tmp_path / "books" / "x.ipynb")
    text = (tmp_path / "books" / "x.ipynb").read_text(encoding="utf-8")
    assert "vaenb.read_series('../wave.csv')" in text
    study.close()


def test_a_stopped_training_is_told_in_the_notebook(saved):
    from dataclasses import replace

    from vaenb.view_models.study_notebook import study_cells

    study = vaenb.Study.load(saved[0], verdicts=None)
    evidence = study.evidence
    for stopped, told in (("finished", False), ("stop event", True), ("interrupted", True)):
        other = replace(evidence, history=replace(evidence.history, stopped=stopped))
        cells = study_cells(study.plan, other, series="series = 1", runs=(2,))
        assert any("stopped inside an epoch" in text for _, text in cells) is told
    study.close()


@pytest.mark.parametrize("kind", ["dates", "numbers", "array", "gaps"])
def test_a_series_comes_back_from_the_file_beside_the_notebook(kind, tmp_path):
    from vaenb.study_source import write_series

    frame = wave().frame
    if kind == "numbers":
        frame.index = np.arange(len(frame)) * 10 + 5
    if kind == "gaps":
        frame = frame.drop(frame.index[50:60]).sample(frac=1.0, random_state=1)
        frame.iloc[3, 0] = np.nan
    source = frame.to_numpy() if kind == "array" else frame
    series = vaenb.read_series(source, train_end=250)
    line = write_series(series, tmp_path / "x.parquet")
    again = eval(line.removeprefix("series = "), {"vaenb": vaenb})
    assert same_series(again, series)
    assert again.name == series.name


# ---------------------------------------------------------------------- code, picture, a closed panel


def test_the_copied_code_gives_the_same_study(study, tmp_path):
    study.choose("model", {"latent_dim": 2})
    study.run()
    panel = step_panel(study, "threshold")
    panel.threshold = 2.25
    panel.min_length = 3
    code = study.code()
    assert "# series: as you have read it" in code
    names = {"series": wave()}
    assert "verdicts=None" in code
    exec(code, names)
    again = names["study"]
    assert again.threshold == study.threshold
    assert again.panel.shown == "threshold"
    np.testing.assert_array_equal(again.events.stop, study.events.stop)
    np.testing.assert_array_equal(again.evidence.scores, study.evidence.scores)
    again.close()


def test_the_copied_code_of_an_opened_study_opens_it(saved):
    study = vaenb.Study.load(saved[0], verdicts=None)
    study.show("scores")
    assert study.code() == (
        f"import vaenb\n\nstudy = vaenb.Study.load({str(saved[0])!r}, verdicts=None)\n"
        "study.show('scores')\nstudy"
    )
    step_panel(study, "threshold").threshold = 2.25
    assert "Study.load" not in study.code()
    study.close()


def test_pictures(saved):
    study = vaenb.Study.load(saved[0], verdicts=None)
    for key in KEYS:
        study.show(key)
        assert 'alt="' in study.snapshot()
    assert repr(study) == "Study of series: All six steps are done."
    study.close()
    fresh = vaenb.Study(wave(), **QUIET)
    assert "Study of series" in fresh.panel.picture()
    assert "1 Prepare data: next" in fresh.panel.picture()
    fresh.close()
