"""The training view: what happens, which epoch is looked at, what is said."""

from dataclasses import replace

import numpy as np
import pytest
from make_evidence import make_evidence
from make_training import make_frame, make_record, make_window

from vaenb.errors import InputError
from vaenb.records import History
from vaenb.view_models.training import MOST_FRAMES, TrainingView, log_errors
from vaenb.view_models.training_words import PATIENT, alarm, failure, place, status, verdict


class Clock:
    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now


def after(n, *, epochs=10, clock=None, **of_record):
    """A view that has been through `n` epochs, two seconds each."""
    clock = clock or Clock()
    view = TrainingView(epochs, window=make_window(), clock=clock)
    view.begin()
    view.add_frame(make_frame(0))
    for epoch in range(1, n + 1):
        clock.now += 2.0
        view.add_record(make_record(epoch, **of_record))
        view.add_frame(make_frame(epoch))
    return view


def ended(view, stopped="finished", best=None, **more):
    best = view.last_epoch if best is None else best
    view.end(History(epochs=tuple(view.records), best_epoch=best, stopped=stopped), **more)
    return view


# ---------------------------------------------------------------- progress


def test_a_fresh_view_waits():
    view = TrainingView(30)
    assert (view.state, view.share, view.epoch, view.record, view.frame) == ("ready", 0.0, 0, None, None)
    assert status(view) == "Not trained yet. Start asks for 30 epochs."
    assert (place(view), alarm(view), failure(view), view.seconds_left) == ("", "", "", None)


def test_progress_is_the_share_of_this_run():
    view = after(4)
    assert view.share == 0.4
    ended(view, "stop event")
    assert view.share == 1.0
    view.begin(6)
    assert view.planned == 10
    assert view.share == 0.0
    view.add_record(make_record(5))
    assert view.share == pytest.approx(1 / 6)


def test_time_left_goes_by_the_last_epochs_and_not_by_the_first():
    clock = Clock()
    view = TrainingView(10, clock=clock)
    view.begin()
    clock.now += 60.0  # compiled
    view.add_record(make_record(1))
    assert view.seconds_left is None
    clock.now += 3.0
    view.add_record(make_record(2))
    assert view.seconds_left == 8 * 3.0
    clock.now += 1.0
    assert view.seconds_left == 8 * 3.0 - 1.0
    assert status(view) == "Epoch 2 of 10, about 23 s left"
    clock.now += 1000.0
    assert status(view) == "Epoch 2 of 10, a moment left"


def test_the_first_step_is_announced():
    view = TrainingView(10)
    view.begin()
    assert status(view).startswith("Getting ready")
    assert view.is_running


def test_epochs_go_on_and_runs_are_counted():
    view = ended(after(4), "stop event")
    view.begin(3)
    for epoch in (5, 6, 7):
        view.add_record(make_record(epoch))
    ended(view)
    assert view.runs == [4, 3]
    assert [record.epoch for record in view.history.epochs] == [1, 2, 3, 4, 5, 6, 7]


@pytest.mark.parametrize("epochs", [0, -1, 2.5, "many"])
def test_epochs_must_be_a_whole_number(epochs):
    with pytest.raises(InputError, match="epochs is"):
        TrainingView(epochs)
    with pytest.raises(InputError, match="epochs is"):
        TrainingView(3).begin(epochs)


# ---------------------------------------------------------------- which epoch


def test_the_newest_is_followed_and_then_the_best():
    view = after(5)
    assert (view.epoch, view.record.epoch, view.frame.epoch) == (5, 5, 5)
    ended(view, best=3)
    assert (view.epoch, view.record.epoch, view.frame.epoch) == (3, 3, 3)


def test_every_epoch_can_be_looked_at_again():
    view = ended(after(5))
    for epoch in range(6):
        view.show(epoch)
        assert view.frame.epoch == view.epoch == epoch
        assert (view.record.epoch if epoch else view.record) == (epoch or None)
    view.show(None)
    assert view.epoch == 5


@pytest.mark.parametrize("epoch", [-1, 6, 100])
def test_no_other_epoch_can(epoch):
    view = after(5)
    with pytest.raises(InputError, match=rf"epoch is {epoch}; expected one from 0 to 5"):
        view.show(epoch)
    assert view.chosen is None


def test_without_frames_epochs_begin_at_one():
    view = TrainingView(3)
    view.begin()
    view.add_record(make_record(1))
    assert (view.first_epoch, view.frame) == (1, None)
    with pytest.raises(InputError, match="from 1 to 1"):
        view.show(0)


def test_starting_again_follows_again():
    view = ended(after(5))
    view.show(2)
    view.begin()
    assert view.chosen is None


def test_best_so_far_is_the_best_calibration_elbo():
    view = after(0)
    for epoch, elbo in enumerate([-9.0, -3.0, np.nan, -5.0], start=1):
        view.add_record(replace(make_record(epoch), calibration_elbo=elbo))
    assert view.best_epoch == 2


def test_without_calibration_the_last_is_the_best():
    assert after(4, held=False).best_epoch == 4


def test_frames_beyond_the_most_are_thinned_and_the_ends_stay():
    view = TrainingView(5000)
    view.begin()
    few = make_frame(0)
    for epoch in range(2500):
        view.add_record(make_record(epoch + 1))
        view.add_frame(replace(few, epoch=epoch))
    kept = [frame.epoch for frame in view.frames]
    assert len(kept) <= MOST_FRAMES
    assert kept == sorted(kept)
    assert (kept[0], kept[-1]) == (0, 2499)
    view.show(1234)
    assert abs(view.frame.epoch - 1234) <= 4


def test_a_frame_of_the_same_epoch_replaces_it():
    view = after(2)
    again = make_frame(2)
    view.add_frame(again)
    assert view.frames[-1] is again
    assert len(view.frames) == 3


# ---------------------------------------------------------------- the window


@pytest.mark.parametrize("shape", [(48,), (48, 1), (48, 3)])
def test_windows_of_one_or_more_channels(shape):
    view = TrainingView(1, window=np.zeros(shape))
    assert view.window.shape == (48, shape[1] if len(shape) > 1 else 1)
    assert view.channels[0] == "channel 1"
    assert view.index.tolist() == list(range(48))


@pytest.mark.parametrize(
    "wrong", [{"index": np.arange(47)}, {"channels": ("a", "b")}, {"window": np.zeros((2, 3, 4))}]
)
def test_what_does_not_fit_is_refused(wrong):
    with pytest.raises(InputError, match="window has shape"):
        TrainingView(1, **{"window": np.zeros((48, 1)), **wrong})


def test_channels_are_chosen_by_name():
    view = TrainingView(1, window=np.zeros((5, 2)), channels=("flow", "heat"))
    view.show_channel("heat")
    assert view.channel == 1
    with pytest.raises(InputError, match="channel is 'cold'; expected one of 'flow', 'heat'"):
        view.show_channel("cold")


def test_a_study_is_looked_through():
    evidence = make_evidence(n_epochs=6)
    view = TrainingView.of(evidence)
    cells = evidence.pinned + np.arange(evidence.window_size)
    assert view.state == "finished"
    np.testing.assert_array_equal(view.window, evidence.series.grid[cells])
    np.testing.assert_array_equal(view.index, evidence.series.index[cells].astype("datetime64[ms]"))
    assert [frame.epoch for frame in view.frames] == list(range(7))
    assert view.history.best_epoch == evidence.history.best_epoch == view.epoch


# ---------------------------------------------------------------- sentences


@pytest.mark.parametrize(
    ("stopped", "more", "told"),
    [
        ("finished", {}, "4 epochs in 200 ms. The model has the weights of epoch 3; on the calibration part"),
        ("stop event", {}, "Stopped after epoch 4. The model has the weights of epoch 3"),
        ("stop event", {"interrupted": True}, "Interrupted after epoch 4. The model has the weights of"),
        ("early stopping", {}, "Stopped early after epoch 4: it had ceased to get better. The model"),
        ("diverged", {}, "Ended after epoch 4: the loss diverged. The model has the weights of epoch 3"),
    ],
)
def test_every_end_has_its_sentence(stopped, more, told):
    assert status(ended(after(4), stopped, best=3, **more)).startswith(told)


def test_an_interrupt_is_in_the_history():
    assert ended(after(4), "stop event", interrupted=True).history.stopped == "interrupted"
    assert ended(after(4), "finished", interrupted=True).history.stopped == "finished"


def test_weights_from_before_and_from_the_last_epoch():
    assert status(ended(after(4), best=0)).endswith("The model has the weights from before the training.")
    assert status(ended(after(4, held=False))).endswith("The model has the weights of epoch 4.")
    assert status(ended(after(0))) == "Stopped before the first epoch was over; what was learnt is kept."


def test_stopping_is_said_at_once():
    view = after(2)
    view.stop()
    assert (view.state, view.is_running) == ("stopping", True)
    assert status(view).startswith("Stopping after the step that runs now")
    ended(view, "stop event").stop()
    assert view.state == "finished"


@pytest.mark.parametrize(
    ("active", "told"),
    [
        (0, "None of the 4 latent dimensions says anything about the window."),
        (1, "1 of 4 latent dimensions says something about the window."),
        (3, "3 of 4 latent dimensions say something about the window."),
    ],
)
def test_latent_dimensions_are_counted_in_words(active, told):
    assert verdict(after(2, active=active)) == told


def test_nothing_is_known_of_them_before_the_first_epoch():
    view = after(2)
    view.show(0)
    assert verdict(view) == "The latent dimensions are measured from the first epoch on."
    assert place(view) == "Before the training"


def test_places_are_named():
    view = after(5)
    assert place(view) == "The newest, 5"
    view.show(3)
    assert place(view) == "Epoch 3 of 5"
    view.show(None)
    assert place(ended(view, best=4)) == "Epoch 4 of 5, kept"
    assert place(ended(after(5), best=5)) == "Epoch 5 of 5, the best"
    assert place(ended(after(5, held=False), best=5)) == "Epoch 5 of 5, the best"


def test_the_best_is_what_the_calibration_part_says_and_not_what_was_kept():
    assert status(ended(after(4))).endswith("weights of epoch 4, the best on the calibration part.")
    kept = ended(after(4), best=2)
    assert (kept.best_epoch, kept.peak_epoch, kept.keeps_the_best) == (2, 4, False)
    assert status(kept).endswith("weights of epoch 2; on the calibration part epoch 4 was the best.")


def test_a_collapse_is_called_when_it_lasts():
    assert alarm(after(PATIENT - 1, active=0)) == ""
    assert alarm(after(PATIENT, active=0)).startswith("The posterior has collapsed: none of the 4 latent")
    assert "kl_warmup" in alarm(after(PATIENT, active=0))
    assert alarm(after(PATIENT, active=1)) == ""


def test_at_the_end_one_epoch_is_enough():
    assert alarm(ended(after(1, active=0))).startswith("The posterior has collapsed")
    assert alarm(ended(after(1, active=1))) == ""


def test_what_the_training_warns_of_is_said():
    view = after(2)
    view.end(History(epochs=(), best_epoch=1, stopped="diverged", warnings=("The loss diverged.",)))
    assert alarm(view) == "The loss diverged."
    view.begin()
    assert alarm(view) == ""


def test_a_failure_is_one_line_with_what_to_do():
    view = after(3)
    view.fail(ValueError("no such thing\nand more"))
    told = failure(view)
    assert told == (
        "ValueError: no such thing What was learnt in 3 epochs is kept. Change what it asks for, then press "
        "Start again."
    )
    assert status(view) == "The training failed after 3 epochs."
    view.begin()
    assert failure(view) == ""


def test_a_long_failure_is_cut():
    view = after(0)
    view.fail(ValueError("x" * 1000))
    assert len(failure(view)) < 400
    view.fail(KeyboardInterrupt())
    assert failure(view).startswith("KeyboardInterrupt: no message")


# ---------------------------------------------------------------- errors in decimal logarithms


def test_logarithms_of_errors():
    np.testing.assert_allclose(log_errors([0.1, 0.0, 100.0]), [-1.0, -1.0, 2.0])
    assert np.isnan(log_errors([np.nan, np.inf, -1.0, 1.0])).tolist() == [True, True, True, False]
    assert log_errors([0.0, 0.0]).tolist() == [-12.0, -12.0]


def test_their_range_only_grows():
    view = TrainingView(3)
    seen = []
    for epoch in (0, 1, 2):
        view.add_frame(make_frame(epoch))
        seen.append(view.log_errors)
        every = np.concatenate([log_errors(frame.errors) for frame in view.frames])
        assert seen[-1][0] <= every.min()
        assert seen[-1][1] >= every.max()
    assert seen[0][0] >= seen[1][0] >= seen[2][0]
    assert seen[0][1] <= seen[1][1] <= seen[2][1]
