"""A static page of one study: a single HTML file that needs no network. NumPy ring."""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import dataclass, field
from html import escape
from importlib.resources import files
from typing import TYPE_CHECKING, Protocol

import numpy as np

import vaenb
from vaenb.drawing.svg import style
from vaenb.errors import InputError
from vaenb.files import atomic_write
from vaenb.formats import counted
from vaenb.report.pictures import overview_data
from vaenb.report.scene import Scene
from vaenb.report.sections import SECTIONS

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping

    from vaenb.records import Events, Floats, History, Report, Scores, Series


class FittedThreshold(Protocol):
    """What a report needs of a threshold; its ``repr`` is the line of Python that makes it."""

    @property
    def threshold_(self) -> float:
        """Scores above it are flagged."""

    @property
    def promise(self) -> str:
        """How many false alarms to expect, in words."""

    @property
    def warnings_(self) -> tuple[str, ...]:
        """What to know before trusting it."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Findings:
    """All that one study found: what `write_report` turns into a page.

    Attributes
    ----------
    series : Series
    scores : Scores
        One score a row of `series`.
    threshold : FittedThreshold
        Any threshold of step 5, fitted.
    events : Events
        In rows of `series`.
    code : str
        The lines of Python that find the same again.
    settings : mapping of str to object
        Names and values to be listed.
    history : History, optional
    evaluation : Report, optional
    calibration_scores : ndarray, shape (n_calibration,), optional
        The scores that the threshold was fitted on.
    train_stop : int, optional
        The cell where the calibration part begins, as in `vaenb.prepare.Prepared`.
    latent : ndarray, shape (n_windows, latent_dim), optional
        Where windows lie in the latent space.
    latent_scores : ndarray, shape (n_windows,), optional
        The scores of the same windows.

    Raises
    ------
    InputError
        If lengths do not fit together.
    """

    series: Series
    scores: Scores
    threshold: FittedThreshold
    events: Events
    code: str
    settings: Mapping[str, object] = field(default_factory=dict)
    history: History | None = None
    evaluation: Report | None = None
    calibration_scores: Floats | None = None
    train_stop: int | None = None
    latent: Floats | None = None
    latent_scores: Floats | None = None

    def __post_init__(self) -> None:
        n_rows = len(self.series)
        if len(self.scores) != n_rows:
            raise InputError(
                f"There are {len(self.scores):,} scores for {n_rows:,} rows of the series; "
                "expected one score a row: bring scores on cells back with series.to_rows."
            )
        if len(self.events) and int(np.max(self.events.stop)) > n_rows:
            raise InputError(
                f"An event ends at row {int(np.max(self.events.stop)):,} of a series of {n_rows:,} rows; "
                "find the events on the scores of this series."
            )
        n_places, n_scores = (-1 if each is None else len(each) for each in (self.latent, self.latent_scores))
        if n_places != n_scores:
            raise InputError(
                f"latent has {max(n_places, 0):,} rows and latent_scores {max(n_scores, 0):,}; "
                "expected one score for each row, or neither."
            )


def write_report(findings: Findings, path: str | os.PathLike[str]) -> None:
    """Write what was found as one HTML page that opens anywhere, without a network.

    Parameters
    ----------
    findings : Findings
    path : path
        Replaced only when the new page is complete.

    Raises
    ------
    OutputError
        If the page cannot be written; a page of before stays as it was.

    Examples
    --------
    >>> import pathlib, tempfile, vaenb
    >>> series = vaenb.load_dataset("toy_daily")
    >>> distance = np.abs(series.values[:, 0] - np.median(series.values))
    >>> rows = np.arange(len(series))
    >>> scores = vaenb.Scores(
    ...     values=distance, method="distance", window_size=1, window_values=distance, window_starts=rows
    ... )
    >>> threshold = vaenb.Percentile(99.5).fit(distance[: series.train_end])
    >>> events = vaenb.find_events(distance, threshold.threshold_, merge_gap=12)
    >>> findings = Findings(
    ...     series=series, scores=scores, threshold=threshold, events=events, code="import vaenb"
    ... )
    >>> page = tempfile.mkdtemp() + "/report.html"
    >>> write_report(findings, page)
    >>> "events in 4,032 points" in pathlib.Path(page).read_text(encoding="utf-8")
    True
    """
    # A name that is no Unicode (half a surrogate pair) is written as a number.
    page = render_report(findings).encode("utf-8", "xmlcharrefreplace")
    with atomic_write(path) as file:
        file.write(page)


def render_report(findings: Findings) -> str:
    """The page as a string, the same for the same findings.

    Parameters
    ----------
    findings : Findings

    Returns
    -------
    str
        HTML with its styles, script and pictures inside; about 2 MB at most.
    """
    scene = Scene(findings)
    script = _resource("page.js")
    body = "".join(section(scene) for section in SECTIONS)
    return (
        f'<!DOCTYPE html>\n<html lang="en" class="vaenb-colours"><head><meta charset="utf-8">'
        f"{_policy(script)}"
        f'<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<meta name="color-scheme" content="light dark">'
        f"<title>{escape(findings.series.name)}: {counted(len(findings.events), 'event')}</title>"
        f"<style>{style()}{_resource('page.css')}</style></head>\n<body>"
        f"<main>{body}</main><footer>Made by vaenb {vaenb.__version__}.</footer>"
        f'<script type="application/json" id="overview-data">{_json(overview_data(scene))}</script>'
        f"<script>{script}</script></body></html>\n"
    )


def _resource(name: str) -> str:
    return (files(__name__) / name).read_text(encoding="utf-8")


def _policy(script: str) -> str:
    """Only our own script may run, and nothing may be fetched: a channel's name cannot do harm."""
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    rules = f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{digest}'"
    return f'<meta http-equiv="Content-Security-Policy" content="{rules}">'


def _json(data: object) -> str:
    """JSON that cannot end the script element it stands in."""
    return json.dumps(data, separators=(",", ":"), allow_nan=False).replace("<", "\\u003c")
