"""The panels of the six steps: made when first opened, closed when what they show is replaced."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from vaenb.view_models.study_steps import KEYS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from vaenb.engine import Engine
    from vaenb.evidence import Evidence
    from vaenb.panels.base import Panel
    from vaenb.panels.threshold import ThresholdPanel
    from vaenb.records import Events, Series
    from vaenb.view_models.study import StudyPlan

_OF_DATA: Final = ("window_size", "calibration", "scaler", "train_end")


class StepPanels:
    """One panel for each step.

    Parameters
    ----------
    series : Series
    plan : StudyPlan
    engine : Engine
    judging : mapping
        What `JudgePanel` is told besides evidence and events: verdicts, other_labels.
    chosen : callable
        Called with the key of a step and its settings when a person changes them.
    """

    def __init__(
        self,
        series: Series,
        plan: StudyPlan,
        engine: Engine,
        *,
        judging: Mapping[str, Any],
        chosen: Callable[[str, dict[str, Any]], None],
    ) -> None:
        self._series, self._plan, self._engine = series, plan, engine
        self._judging, self._chosen = dict(judging), chosen
        self._made: dict[str, tuple[tuple[Any, ...], Panel]] = {}

    def __getitem__(self, key: str) -> Panel:
        """The panel of a step, made or made anew if need be."""
        shows = self._shows(key)
        known = self._made.get(key)
        if known is None or known[1].is_closed or not _same(known[0], shows):
            if known is not None:
                known[1].close()
            self._made[key] = shows, getattr(self, f"_make_{key}")()
        panel: Any = self._made[key][1]
        if key == "judge":
            self._follow_threshold(panel)
        if key == "model":
            panel.choose(window_size=self._plan.settings("model")["window_size"])
        return panel

    def get(self, key: str) -> Any:
        """The panel of a step if it was made and shows what there is now; else None."""
        known = self._made.get(key)
        return known[1] if known and not known[1].is_closed and _same(known[0], self._shows(key)) else None

    @property
    def evidence(self) -> Evidence | None:
        """What they show; None before step 4."""
        return self._engine.evidence

    @property
    def verdicts(self) -> Any:
        """What `JudgePanel` is told of the file of verdicts."""
        return self._judging.get("verdicts", "auto")

    def close(self, *keys: str) -> None:
        """Close the panels of some steps; without keys, of all."""
        for key in keys or KEYS:
            known = self._made.pop(key, None)
            if known is not None:
                known[1].close()

    def _shows(self, key: str) -> tuple[Any, ...]:
        """What a panel of now is made from: where that is replaced, the panel is."""
        evidence = self._engine.evidence
        if key == "data":
            return (self._series,)
        if key == "model":
            return ()
        if key == "training":
            return (self._engine.training or (evidence and evidence.history),)
        if evidence is None:
            return (None,)
        return (evidence.scores, evidence.rule) if key == "scores" else (evidence.scores,)

    # ------------------------------------------------------------------ each of them

    def _make_data(self) -> Panel:
        from vaenb.panels.data import DataPanel

        told = self._plan.settings("data")
        panel = DataPanel(self._series, **{name: told[name] for name in _OF_DATA})
        panel.on_change(lambda settings: self._chosen("data", settings))
        return panel

    def _make_model(self) -> Panel:
        from vaenb.panels.model import ModelPanel

        told = self._plan.settings("model")
        size = told.pop("window_size")
        panel = ModelPanel(size, self._series.n_channels, sample=self._engine.sample, **told)
        panel.on_change(lambda settings: self._chosen("model", settings))
        return panel

    def _make_training(self) -> Panel:
        from vaenb.panels.training import TrainingPanel

        training, evidence = self._engine.training, self._engine.evidence
        if training is None and evidence is not None:
            return TrainingPanel.of(evidence)
        return TrainingPanel(training, epochs=self._plan.settings("training")["epochs"])

    def _make_scores(self) -> Panel:
        from vaenb.panels.latent import LatentPanel

        return LatentPanel(self._engine.shown, decode=self._engine.decode)

    def _make_threshold(self) -> Panel:
        from vaenb.panels.threshold import ThresholdPanel

        told = self._plan.settings("threshold")
        return ThresholdPanel(
            self._engine.shown, merge_gap=told.get("merge_gap"), min_length=told.get("min_length", 1)
        )

    def _make_judge(self) -> Panel:
        from vaenb.panels.judge import JudgePanel

        return JudgePanel(self._engine.shown, **self._judging)

    # ------------------------------------------------------------------ the threshold and its events

    def _follow_threshold(self, judge: Any) -> None:
        """The events of step 5 in step 6."""
        told, rule = self._plan.settings("threshold"), self._engine.shown.rule
        gap, shortest = told.get("merge_gap"), told.get("min_length", 1)
        state = judge.state
        events = self.events() if shortest > 1 else None
        follows = state.threshold == float(rule.threshold_) and gap in {None, state.merge_gap}
        if events is not None or state.are_given or not follows:
            judge.set_events(events, threshold=float(rule.threshold_), merge_gap=gap)

    def events(self) -> Events:
        """The events as they are set in step 5, on the cells."""
        from vaenb.events import find_events

        told, evidence = self._plan.settings("threshold"), self._engine.shown
        gap = told.get("merge_gap")
        return find_events(
            evidence.scores,
            float(evidence.rule.threshold_),
            merge_gap=_usual_gap(evidence.window_size) if gap is None else gap,
            min_length=told.get("min_length", 1),
            normal=evidence.calibration_scores,
        )

    def threshold_moved(self) -> dict[str, Any] | None:
        """What a person has set in step 5 that the study does not know yet: rule, merge_gap, min_length."""
        panel: ThresholdPanel | None = self.get("threshold")
        if panel is None:
            return None
        told, rule = self._plan.settings("threshold"), self._engine.shown.rule
        gap, shortest = told.get("merge_gap"), told.get("min_length", 1)
        usual = _usual_gap(self._engine.shown.window_size)
        known = usual if gap is None else gap, shortest
        stays = panel.threshold == float(rule.threshold_)
        if stays and known == (panel.merge_gap, panel.min_length):
            return None
        found = rule if stays else self._rule_of(panel)
        chosen = None if panel.merge_gap == usual else panel.merge_gap
        return {"rule": found, "merge_gap": chosen, "min_length": panel.min_length}

    def _rule_of(self, panel: ThresholdPanel) -> Any:
        """The fitted rule on which the line stands; a number as a rule where it was moved by hand."""
        from vaenb.thresholding import Fixed

        if panel.rule is not None:
            return panel.rule
        evidence = self._engine.shown
        return Fixed(panel.threshold).fit(
            evidence.calibration_scores,
            window_size=evidence.window_size,
            points_per_day=evidence.series.points_per_day,
        )


def _usual_gap(window_size: int) -> int:
    return window_size if window_size > 1 else 0


def _same(one: tuple[Any, ...], other: tuple[Any, ...]) -> bool:
    """Whether two panels would show the very same things."""
    pairs = zip(one, other, strict=True)
    return all(a is b or (isinstance(a, int | str) and a == b) for a, b in pairs)
