"""The plan of a study: what is done, next and stale, against a reckoning that follows every arrow."""

import itertools

import numpy as np
import pytest

import vaenb
from vaenb import votes
from vaenb.view_models.study import StudyPlan
from vaenb.view_models.study_code import changed_settings, setting_code, study_code
from vaenb.view_models.study_picture import draw_path
from vaenb.view_models.study_scores import METHODS, VOTES, consequence
from vaenb.view_models.study_steps import (
    DEFAULTS,
    KEYS,
    MARKS,
    STATE_WORDS,
    STEPS,
    as_key,
    checked_settings,
    told,
)

ARROWS = {
    "data": {"model", "training", "scores", "threshold", "judge"},
    "model": {"training", "scores", "threshold", "judge"},
    "training": {"scores", "threshold", "judge"},
    "scores": {"threshold", "judge"},
    "threshold": {"judge"},
    "judge": set(),
}
CHANGES = {
    "data": ("calibration", 0.3),
    "model": ("latent_dim", 2),
    "training": ("learning_rate", 0.01),
    "scores": ("method", "elbo"),
    "threshold": ("threshold", "percentile:99"),
}


def new_plan(**settings):
    return StudyPlan({**DEFAULTS, **settings})


def done_plan():
    plan = new_plan()
    for key in KEYS:
        plan.finish(key, (30,) if key == "training" else None)
    return plan


def states(plan):
    return [plan.state(key) for key in KEYS]


def test_a_new_plan_begins_with_the_first_step():
    plan = new_plan()
    assert states(plan) == ["ready", *["to do"] * 5]
    assert plan.next == "data"
    assert plan.to_do == KEYS
    assert plan.progress() == "0 of 6 steps done."
    assert not plan.stale


def test_one_step_after_the_other_becomes_ready_and_done():
    plan = new_plan()
    for place, key in enumerate(KEYS):
        assert plan.next == key
        plan.begin(key)
        assert plan.state(key) == "running"
        assert plan.progress().startswith(f"Step {place + 1} of 6: ")
        plan.finish(key)
        assert states(plan)[: place + 1] == ["done"] * (place + 1)
    assert plan.next is None
    assert plan.progress() == "All six steps are done."


@pytest.mark.parametrize("key", CHANGES)
def test_a_change_makes_stale_what_follows_from_it_and_nothing_else(key):
    plan = done_plan()
    name, value = CHANGES[key]
    before = plan.settings(key)[name]
    assert set(plan.choose(key, **{name: value})) == {key} | ARROWS[key]
    assert set(plan.stale) == {key} | ARROWS[key]
    assert plan.next == min(plan.stale, key=KEYS.index)
    for later in ARROWS[key]:
        assert plan.cause(later) == key
        assert told(key) in plan.note(later)
    assert plan.choose(key, **{name: before}) == ()
    assert states(plan) == ["done"] * 6  # taken back: nothing has to be done again


@pytest.mark.parametrize("key", CHANGES)
def test_done_anew_it_is_fresh_and_the_rest_is_stale_until_it_is_done(key):
    plan = done_plan()
    plan.choose(key, **dict([CHANGES[key]]))
    plan.finish(key)
    assert plan.is_done(key)
    assert set(plan.stale) == ARROWS[key]
    for later in plan.stale:
        assert plan.cause(later) == key
    for later in plan.to_do:
        plan.finish(later)
    assert states(plan) == ["done"] * 6


def test_a_training_that_went_on_makes_its_scores_stale():
    plan = done_plan()
    plan.finish("training", (30, 5))
    assert plan.outcome("training") == (30, 5)
    assert plan.stale == ("scores", "threshold", "judge")
    assert plan.cause("judge") == "training"


def test_how_many_epochs_are_asked_for_next_makes_nothing_stale():
    plan = done_plan()
    assert plan.choose("training", epochs=99) == ()
    assert plan.params["epochs"] == 99


def test_another_window_size_reaches_the_model_but_not_the_settings_of_the_detector():
    plan = new_plan()
    plan.choose("model", window_size=48)
    for key in KEYS:
        plan.finish(key)
    assert plan.params["window_size"] == "auto"
    plan.choose("model", window_size=32)
    assert "model" in plan.stale


def test_where_the_training_part_ends_belongs_to_step_one():
    plan = done_plan()
    assert "judge" in plan.choose("data", train_end=500)
    assert "train_end" not in plan.params


def test_nothing_is_finished_before_what_it_works_on():
    with pytest.raises(vaenb.InputError, match="Train works on Build the VAE, which is not done"):
        new_plan().finish("training")


def test_a_result_that_is_gone_leaves_what_came_of_it_stale():
    plan = done_plan()
    plan.forget("training")
    assert plan.state("training") == "ready"
    assert plan.stale == ("scores", "threshold", "judge")


@pytest.mark.parametrize("seed", range(50))
def test_states_agree_with_a_reckoning_that_follows_every_arrow(seed):
    rng = np.random.default_rng(seed)
    moves = [
        (str(rng.choice(["change", "finish", "finish"])), str(rng.choice(KEYS)), int(rng.integers(2)))
        for _ in range(rng.integers(5, 60))
    ]
    plan, now, results = new_plan(), dict.fromkeys(KEYS, 0), {}

    def fresh(key):
        needs = next(step.needs for step in STEPS if step.key == key)
        own = key in results and results[key][0] == now[key]
        return own and all(fresh(need) and results[key][1][need] == results[need] for need in needs)

    for kind, key, value in moves:
        if kind == "change" and key != "judge":
            name, _ = CHANGES[key]
            plan.choose(key, **{name: value})
            now[key] = value
        needs = next(step.needs for step in STEPS if step.key == key)
        if kind == "finish" and all(fresh(need) for need in needs):
            if key != "judge":
                plan.choose(key, **{CHANGES[key][0]: now[key]})
            plan.finish(key)
            results[key] = now[key], {need: results[need] for need in needs}
    first = next((key for key in KEYS if not fresh(key)), None)
    for key in KEYS:
        usual = "ready" if key == first else "to do"
        assert plan.state(key) == ("done" if fresh(key) else "stale" if key in results else usual)
    assert plan.next == first


def test_next_leads_through_the_six_steps():
    plan, shown, seen = new_plan(), "data", []
    plan.finish("data")  # its panel has prepared the series
    for _ in range(12):
        action = plan.next_action(shown)
        if action is None:
            break
        seen.append(action)
        if action.kind == "do":
            plan.finish(action.step)
        shown = action.step if action.kind == "show" else plan.shown_after(action.step)
    assert [(each.kind, each.step) for each in seen] == [
        ("show", "model"),
        ("do", "model"),
        ("do", "training"),
        ("do", "scores"),
        ("do", "threshold"),
        ("do", "judge"),
    ]
    assert [each.words for each in seen] == [
        "Next: 2 Build the VAE",
        "Next: 3 Train",
        "Start the training",
        "Next: 4 Score",
        "Next: 5 Set the threshold",
        "Next: 6 Judge",
    ]
    assert shown == "judge"


def test_next_turns_pages_once_all_is_done_and_leads_back_to_what_is_stale():
    plan = done_plan()
    assert plan.next_action("data") == ("show", "model", "Next: 2 Build the VAE")
    assert plan.next_action("judge") is None
    plan.choose("model", latent_dim=2)
    assert plan.next_action("judge") == ("show", "model", "Back: 2 Build the VAE")
    assert plan.next_action("model") == ("do", "model", "Next: 3 Train")
    assert plan.next_action("data") == ("show", "model", "Next: 2 Build the VAE")
    plan.finish("model")
    assert plan.next_action("training").words == "Train again"


def test_next_never_skips_a_page():
    plan = done_plan()
    plan.choose("threshold", threshold=3.0)
    for shown in KEYS[:4]:
        action = plan.next_action(shown)
        assert action.step == KEYS[KEYS.index(shown) + 1]


def test_what_can_be_opened():
    plan = new_plan()
    assert [plan.can_open(key) for key in KEYS] == [True, *[False] * 5]
    plan.finish("data")
    assert [plan.can_open(key) for key in KEYS] == [True, True, *[False] * 4]
    plan.finish("model")
    assert [plan.can_open(key) for key in KEYS] == [True, True, True, *[False] * 3]
    assert "comes first" in plan.note("judge")
    assert all(done_plan().can_open(key) for key in KEYS)
    stale = done_plan()
    stale.choose("data", calibration=0.5)
    assert all(stale.can_open(key) for key in KEYS)


def test_every_state_has_a_mark_and_words_of_its_own():
    assert len(set(MARKS.values())) == len(set(STATE_WORDS.values())) == 5
    plan = done_plan()
    plan.choose("scores", method="elbo")
    plan.begin("scores")
    assert plan.label("data") == "1 Prepare data\n✓ done"
    assert plan.label("scores") == "4 Score\n… running"
    assert plan.label("judge") == "6 Judge\n! out of date"
    assert new_plan().label("judge") == "6 Judge\nto do"
    assert new_plan().label("data") == "1 Prepare data\n→ next"


def test_a_choice_that_is_not_done_says_so():
    plan = done_plan()
    plan.choose("scores", method="elbo")
    assert plan.note("scores") == "Chosen anew, and not done with these settings yet."
    assert plan.note("data") == ""


@pytest.mark.parametrize("step", [0, 7, "score", None, True, 2.5])
def test_a_step_that_is_none_is_refused(step):
    with pytest.raises(vaenb.InputError, match="There is no step"):
        as_key(step)


def test_steps_by_number_and_by_name():
    assert [as_key(number) for number in range(1, 7)] == list(KEYS)
    assert [as_key(key) for key in KEYS] == list(KEYS)


def test_settings_are_looked_at_before_anything_begins():
    assert checked_settings({}) == DEFAULTS
    assert checked_settings({"epochs": 3})["epochs"] == 3
    with pytest.raises(vaenb.InputError, match=r"There is no setting 'latent_dims'; expected .*latent_dim"):
        checked_settings({"latent_dims": 3})
    with pytest.raises(vaenb.InputError, match="epochs is 0"):
        checked_settings({"epochs": 0})
    with pytest.raises(vaenb.InputError, match="threshold"):
        checked_settings({"threshold": object()})


def test_every_setting_belongs_to_one_step():
    names = [name for step in STEPS for name in step.settings]
    assert sorted(names) == sorted(DEFAULTS)
    assert new_plan().params == DEFAULTS


# ---------------------------------------------------------------------- words, code, picture


def test_there_are_words_for_every_method_and_vote():
    assert sorted(METHODS) == sorted(votes.METHODS)
    assert sorted(VOTES) == sorted(votes.VOTES)


@pytest.mark.parametrize(("method", "vote"), list(itertools.product(METHODS, VOTES)))
def test_every_choice_of_step_four_has_its_sentences(method, vote):
    text = consequence(method=method, vote=vote, n_samples=8)
    assert text[0].isupper()
    assert text.endswith(".")
    drawn = method in {"elbo", "iwae"} or (method == "reconstruction_probability" and vote != "lengths")
    assert ("draws of z" in text) == votes.takes_draws(method=method, vote=vote) == drawn


def test_settings_as_python():
    assert setting_code(vaenb.POT(rate=0.01)) == "vaenb.POT(rate=0.01)"
    assert setting_code(np.float64(2.5)) == "2.5"
    assert setting_code((np.int64(3), 4)) == "(3, 4)"
    plan = new_plan(threshold=2.5, latent_dim=3)
    assert changed_settings(plan) == {"latent_dim": "3", "threshold": "2.5"}
    assert changed_settings(plan, without=("threshold",)) == {"latent_dim": "3"}


def test_a_study_as_code():
    plan = new_plan(latent_dim=3)
    line = "series = vaenb.load_dataset('nyc_taxi')"
    assert study_code(plan, series=line, shown="data") == (
        f"import vaenb\n\n{line}\nstudy = vaenb.Study(series, latent_dim=3)\nstudy.show('data')\nstudy"
    )
    plan.finish("data")
    plan.finish("model")
    plan.choose("data", train_end=500)
    plan.finish("data")
    plan.finish("model")
    plan.choose("threshold", merge_gap=None, min_length=4)
    text = study_code(plan, series=None, shown="model")
    assert "# series: as you have read it" in text
    assert "vaenb.Study(series, latent_dim=3, train_end=500, min_length=4)\nstudy.run('model')" in text
    assert "study.run()\n" in study_code(done_plan(), series=line, shown="judge")
    opened = study_code(done_plan(), series=line, shown="judge", opened="x.vaenb")
    assert opened == "import vaenb\n\nstudy = vaenb.Study.load('x.vaenb')\nstudy.show('judge')\nstudy"


def test_what_the_judge_was_told_stands_in_the_code():
    told_ = {"verdicts": None, "other_labels": "other.csv"}
    text = study_code(new_plan(), series="series = 1", shown="data", judging=told_)
    assert "vaenb.Study(series, verdicts=None, other_labels='other.csv')" in text
    text = study_code(new_plan(), series="series = 1", shown="data", judging={"other_labels": np.zeros(3)})
    assert "vaenb.Study(series, other_labels=other_labels)" in text


def test_the_path_as_a_picture_says_every_state():
    plan = done_plan()
    plan.choose("scores", method="elbo")
    svg = draw_path(plan, "nyc_taxi & more")
    assert "<title" in svg
    for key in KEYS:
        assert f"{told(key)}: {STATE_WORDS[plan.state(key)]}" in svg
    assert "nyc_taxi &amp; more" in svg
