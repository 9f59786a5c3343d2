"""Which steps of a study are done, what is next, and what a change makes stale. NumPy ring."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from vaenb.errors import InputError
from vaenb.settings import plain
from vaenb.view_models.study_steps import (
    DOING,
    DONE,
    KEYS,
    MARKS,
    READY,
    RUNNING,
    STALE,
    STATE_WORDS,
    STEPS,
    TO_DO,
    checked,
    step_of,
    title,
    told,
    upstream,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

_ASKED: Final = {"epochs"}  # how many epochs the next run asks for: what was trained says how many there were


class Action(NamedTuple):
    """What the button "Next" does: "show" a step's panel, or "do" the step."""

    kind: str
    step: str
    words: str


class StudyPlan:
    """Which steps are done with which settings.

    A step is done while its settings, and those of all steps that it works on, are the ones it was done
    with. So a change makes stale what follows from it, and taking the change back makes it fresh again.

    Parameters
    ----------
    settings : mapping
        Settings of `vaenb.VAEDetector`, and ``train_end``.

    Attributes
    ----------
    running : str or None
        The step that is being done.
    """

    def __init__(self, settings: Mapping[str, Any]) -> None:
        self._settings: dict[str, dict[str, Any]] = {
            step.key: {name: settings[name] for name in step.settings if name in settings} for step in STEPS
        }
        self._settings["data"]["train_end"] = settings.get("train_end")
        self._results: dict[str, tuple[Any, ...]] = {}
        self.running: str | None = None

    # ------------------------------------------------------------------ settings

    def settings(self, key: str) -> dict[str, Any]:
        """The settings of one step as they are chosen now."""
        return dict(self._settings[checked(key)])

    @property
    def params(self) -> dict[str, Any]:
        """The settings of all steps, as `vaenb.VAEDetector` takes them."""
        return {
            name: self._settings[step.key][name]
            for step in STEPS
            for name in step.settings
            if name in self._settings[step.key]
        }

    def choose(self, key: str, **settings: Any) -> tuple[str, ...]:
        """Choose settings of a step.

        Returns
        -------
        tuple of str
            The steps that became stale, in order.
        """
        before = self.stale
        self._settings[checked(key)].update(settings)
        return tuple(step for step in self.stale if step not in before)

    # ------------------------------------------------------------------ what is done

    def begin(self, key: str) -> None:
        """The step is being done."""
        self.running = checked(key)

    def finish(self, key: str, outcome: object = None) -> None:
        """The step is done with the present settings.

        Parameters
        ----------
        key : str
        outcome : object, optional
            What else tells this result from another with the same settings, such as the epochs of each
            run of a training.

        Raises
        ------
        InputError
            If what it works on is not done.
        """
        missing = [need for need in step_of(key).needs if not self.is_done(need)]
        if missing:
            raise InputError(f"{title(key)} works on {title(missing[0])}, which is not done: do that first.")
        self._results[key] = self._mark(key, outcome)
        self.stop()

    def forget(self, key: str) -> None:
        """The result of a step is gone: what is there now is another one, made with settings of before."""
        self._results.pop(checked(key), None)

    def stop(self) -> None:
        """The step that was being done is not any more."""
        self.running = None

    def _mark(self, key: str, outcome: object) -> tuple[Any, ...]:
        """What a result depends on: as long as this is the same, the result is."""
        own = tuple(
            sorted((name, repr(plain(v))) for name, v in self._settings[key].items() if name not in _ASKED)
        )
        return (own, repr(outcome), tuple(self._results.get(need) for need in step_of(key).needs), outcome)

    def has_result(self, key: str) -> bool:
        """Whether the step was done once, be it with other settings."""
        return checked(key) in self._results

    def outcome(self, key: str) -> Any:
        """What `finish` was told of the step's last result; None where there is none."""
        found = self._results.get(checked(key))
        return None if found is None else found[3]

    def is_done(self, key: str) -> bool:
        """Whether the step is done with the settings as they are now."""
        found = self._results.get(checked(key))
        if found is None or found[:3] != self._mark(key, found[3])[:3]:
            return False
        return all(self.is_done(need) for need in step_of(key).needs)

    def state(self, key: str) -> str:
        """One of "to do", "ready", "running", "done" and "stale"."""
        if self.running == checked(key):
            return RUNNING
        if self.is_done(key):
            return DONE
        if key in self._results:
            return STALE
        return READY if key == self.next else TO_DO

    @property
    def stale(self) -> tuple[str, ...]:
        """The steps that were done with other settings than those of now."""
        return tuple(key for key in KEYS if key in self._results and not self.is_done(key))

    @property
    def to_do(self) -> tuple[str, ...]:
        """The steps that are not done, in order."""
        return tuple(key for key in KEYS if not self.is_done(key))

    def cause(self, key: str) -> str | None:
        """The earliest step whose change made this one stale; None where it is not stale."""
        if self.state(key) != STALE:
            return None
        changed = [need for need in upstream(key) if not self.is_done(need) or self._is_newer(need, key)]
        return min(changed, key=KEYS.index, default=key)

    def _is_newer(self, need: str, key: str) -> bool:
        """Whether a result is another one than a later result was made from."""
        return bool(self._made_from(self._results[key], key, need) != self._results.get(need))

    def _made_from(self, result: tuple[Any, ...], key: str, need: str) -> Any:
        for direct, mark in zip(step_of(key).needs, result[2], strict=True):
            if direct == need:
                return mark
            if mark is not None and need in upstream(direct):
                return self._made_from(mark, direct, need)
        return None

    # ------------------------------------------------------------------ where one is, and goes

    def can_open(self, key: str) -> bool:
        """Whether there is something to show of a step: a result, or what is chosen in it."""
        if self.has_result(key) or key == "data":
            return True
        if not step_of(key).is_choice:
            return False
        return all(self.is_done(each) for each in KEYS[: KEYS.index(key)])

    @property
    def next(self) -> str | None:
        """The first step that is not done; None where all are."""
        return next(iter(self.to_do), None)

    def next_action(self, shown: str) -> Action | None:
        """What "Next" does while a step's panel is shown; None where all is done and nothing runs on."""
        step = self.next
        if step is None:
            after = KEYS[KEYS.index(checked(shown)) + 1 :]
            return Action("show", after[0], f"Next: {told(after[0])}") if after else None
        if KEYS.index(shown) < KEYS.index(step) - 1:
            following = KEYS[KEYS.index(shown) + 1]
            return Action("show", following, f"Next: {told(following)}")
        if not step_of(step).is_choice:
            return Action("do", step, f"Next: {told(step)}")
        if step != shown:
            where = "Next" if KEYS.index(step) > KEYS.index(shown) else "Back"
            return Action("show", step, f"{where}: {told(step)}")
        if step == "training":
            return Action("do", step, "Train again" if self.has_result(step) else "Start the training")
        following = KEYS[KEYS.index(step) + 1]
        return Action("do", step, f"Next: {told(following)}")

    @staticmethod
    def shown_after(key: str) -> str:
        """The step whose panel is shown once a step is done: of a choice, the next one."""
        return {"data": "model", "model": "training"}.get(checked(key), key)

    # ------------------------------------------------------------------ words

    def label(self, key: str) -> str:
        """Number and title of a step, and below them its state, in words and with a mark."""
        state = self.state(key)
        return f"{told(key)}\n{f'{MARKS[state]} {STATE_WORDS[state]}'.strip()}"

    def progress(self) -> str:
        """What is being done; how far one is, where nothing is."""
        if self.running is not None:
            return f"Step {KEYS.index(self.running) + 1} of {len(KEYS)}: {DOING[self.running]} …"
        done = len(KEYS) - len(self.to_do)
        return "All six steps are done." if done == len(KEYS) else f"{done} of {len(KEYS)} steps done."

    def note(self, key: str) -> str:
        """A sentence on a step whose panel is shown; empty where there is nothing to say."""
        if not self.can_open(key):
            first = self.next or key
            return (
                f"Nothing to see yet: {told(first)} comes first. “Run everything” does all steps up to here."
            )
        cause = self.cause(key)
        if cause is None or cause == key:
            return "" if cause is None else "Chosen anew, and not done with these settings yet."
        return f"Out of date: {told(cause)} has changed since. “Run everything” brings it up to date."
