"""A run as its folder tells of it: what there is, what is left to do, and how to go on. NumPy ring."""

from __future__ import annotations

import ast
import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from vaenb.errors import InputError
from vaenb.fleet.groups import group_names
from vaenb.fleet.output import Output
from vaenb.fleet.sources import find_series

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Mapping

    import pandas as pd

    from vaenb.fleet.groups import Grouping
    from vaenb.fleet.sources import Member, Source

_FOREIGN: Final = (
    "The run in {folder!r} was made with settings that a file cannot hold, such as a rule of one's own: give "
    "its {missing} as well to go on."
)


@dataclass(frozen=True, kw_only=True)
class Run:
    """A run of `vaenb.fleet.detect_many`, or of `score_many`, that may be half done.

    Attributes
    ----------
    source : path, Dask DataFrame or None
        None where nobody has said where the series are.
    key : str or None
    output : Output
    read, settings : dict or None
        None where the folder cannot tell them.
    saves : bool
        Whether it keeps detectors.
    detector : str or None
        The saved detector, or the folder of them, that it scores with.
    groups : dict or None
        The group of each series, whose detector it scores with.
    group : mapping, callable or None
        Where they are to come from, of a run that begins.
    """

    source: Source | None
    key: str | None
    output: Output
    read: dict[str, Any] | None
    settings: dict[str, Any] | None
    saves: bool = True
    detector: str | None = None
    groups: dict[str, str] | None = None
    group: Grouping | None = None

    @classmethod
    def of(
        cls,
        source: Source | None,
        out: str | os.PathLike[str] | None,
        *,
        key: str | None = None,
        read: Mapping[str, Any] | None = None,
        settings: Mapping[str, Any] | None = None,
        group: Grouping | None = None,
    ) -> Run:
        """The run in a folder, or one that is to fill it.

        Parameters
        ----------
        source, key, read, settings, group
            See `vaenb.fleet.detect_many`; what is not given is what the folder tells.
        out : path, optional
            Without it, a folder named after the source, as `vaenb detect` takes.

        Raises
        ------
        InputError
            If neither a source nor a folder with a run is given, a series has no group, or the folder holds
            the results of other settings.
        """
        output = Output(Path(folder_named_after(source) if out is None else out).resolve())
        mark, known = output.mark, output.source or {"path": None, "key": None}
        if source is None and mark is None:
            raise InputError(
                f"There is no run in {str(output.folder)!r}; expected a folder that vaenb.fleet.detect_many "
                "or vaenb detect has written. To begin one, give the source of the series as well."
            )
        if mark is not None and (not mark.get("scores") or "rows" in mark):
            what = "one long series" if "rows" in mark else "detectors without scores"
            raise InputError(
                f"{str(output.folder)!r} holds {what}; expected a run of vaenb.fleet.detect_many "
                "or score_many."
            )
        if source is None:
            source, key = known["path"], known["key"]
        if mark is None:
            read, settings = read or {}, settings or {}
            run = cls(source=source, key=key, output=output, read=dict(read), settings=dict(settings))
        else:
            run = cls(
                source=source,
                key=key,
                output=output,
                read=_read_back(mark.get("read", "[]")) if read is None else dict(read),
                settings=_read_back(mark.get("settings", "[]")) if settings is None else dict(settings),
                saves=bool(mark.get("saves")),
                detector=mark.get("detector"),
                groups=mark.get("groups"),
            )
        if group is not None:
            run = replace(run, group=group)
            members = run.members()  # of a Dask DataFrame none, before it is written
            run = replace(run, groups=group_names(members, group) if members else run.groups)
        run.check()
        return run

    def check(self) -> None:
        """Refuse what cannot go on; see `of`."""
        from vaenb.fleet.work import Job

        if self.read is not None and self.settings is not None:
            job = Job(
                read=self.read,
                settings=self.settings,
                detector=self.detector,
                saves=self.saves,
                groups=self.groups,
            )
            if self.output.mark is None:
                job.check()
            self.output.check(job.mark)

    @property
    def fits_each(self) -> bool:
        """Whether it fits a detector for each series."""
        return self.detector is None and self.groups is None and self.group is None

    @property
    def why_not(self) -> str:
        """Why it cannot go on, and what to do; empty where it can."""
        folder = str(self.output.folder)
        if self.source is None:
            return (
                f"The folder {folder!r} does not tell where its series are: give the source as well to go on."
            )
        if self.read is None or self.settings is None:
            return _FOREIGN.format(folder=folder, missing="read" if self.read is None else "settings")
        return ""

    def members(self) -> list[Member]:
        """The series, without writing anything: those of a Dask DataFrame once a run has written them.

        Raises
        ------
        InputError
            See `vaenb.fleet.detect_many`.
        """
        source, written = self.source, self.output.folder / "input"
        if source is None or (hasattr(source, "dask") and not written.exists()):
            return []
        return find_series(
            written if hasattr(source, "dask") else source, key=self.key, scratch=self.output.folder / "input"
        )

    def go_on(
        self,
        *,
        workers: int,
        on_begin: Callable[[int, int], None],
        on_series: Callable[[dict[str, Any]], None],
        stop: threading.Event,
    ) -> pd.DataFrame:
        """Do what is left to do; see `vaenb.fleet.detect_many`."""
        from vaenb.fleet import detect_many, score_many

        if self.why_not:
            raise InputError(self.why_not)
        told: dict[str, Any] = {
            "key": self.key,
            "read": self.read,
            "workers": workers,
            "on_series": on_series,
            "stop": stop,
        }
        if self.detector is not None:
            members = self.members()
            done = self.output.done() & {member.name for member in members}
            on_begin(len(members), len(done))
            return score_many(self.source, self.output.folder, self.detector, **told)
        return detect_many(
            self.source,
            self.output.folder,
            settings=self.settings,
            saves=self.saves,
            group=self.groups if self.group is None else self.group,
            on_begin=on_begin,
            **told,
        )


def folder_named_after(source: Source | None) -> str:
    """The folder that `vaenb detect` writes into."""
    if source is None:
        raise InputError("Give the source of the series, or the folder of a run as out, or both.")
    is_folder = isinstance(source, str | os.PathLike) and Path(source).is_dir()
    return f"{Path(source).resolve().name if is_folder else 'series'}_anomalies"


def _read_back(text: str) -> dict[str, Any] | None:
    """Settings from what `Job.mark` says of them; None where that cannot be read back."""
    try:
        found = dict(ast.literal_eval(text))
    except (ValueError, SyntaxError, TypeError):
        return None
    return found if repr(sorted(found.items())) == text else None
