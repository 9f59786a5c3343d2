"""One detector for several series: learnt from the training parts of all of them. TensorFlow ring at work."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from vaenb.errors import InputError
from vaenb.fleet.learning import learn
from vaenb.fleet.sample import SAMPLE_VALUES, blocks_of, join, without_seams
from vaenb.reading import read_series

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    from vaenb.fleet.output import Output
    from vaenb.fleet.sources import Member
    from vaenb.fleet.work import Job
    from vaenb.records import Floats, Series

    Grouping = Mapping[str, str] | Callable[[str], str]
    Rows = tuple[NDArray[Any], Floats]


def group_names(members: Sequence[Member], group: Grouping) -> dict[str, str]:
    """The group of each series.

    Raises
    ------
    InputError
        If a series has none.
    """
    found = {}
    for member in members:
        name = group(member.name) if callable(group) else group.get(member.name)
        if not isinstance(name, str) or not name:
            raise InputError(
                f"The group of the series {member.name!r} is {name!r}; expected a name, for every series."
            )
        found[member.name] = name
    return found


@dataclass(frozen=True)
class Group:
    """Series that share a detector.

    Attributes
    ----------
    name : str
    members : tuple of Member
    """

    name: str
    members: tuple[Member, ...]


def as_groups(members: Sequence[Member], names: Mapping[str, str]) -> list[Group]:
    """The groups of all series, in the order of their names."""
    found: dict[str, list[Member]] = {}
    for member in members:
        found.setdefault(names[member.name], []).append(member)
    return [Group(name, tuple(found[name])) for name in sorted(found)]


def fit_group(group: Group, job: Job, output: Output) -> dict[str, Any]:
    """Fit and save the detector of a group; nothing where it is saved already.

    Of each series the training part counts, or blocks drawn over it where all of them hold more than about
    500,000 numbers; the last fifth of each (`calibration` of the settings) is held out for the threshold.

    Returns
    -------
    dict
        A row as `work` returns it. A group fails where a series cannot be read, or has other channels.
    """
    from vaenb.detector import VAEDetector

    row = {"series": group.name, "status": "done", "reason": ""}
    path = output.group(group.name)
    if path.exists():
        return row
    detector = VAEDetector(**job.settings)
    try:
        with warnings.catch_warnings(action="ignore"):
            series = [_read(member, job) for member in group.members]
            like, train, held_out = _parts(series, share=detector.calibration, seed=detector.seed)
            sample, seams = join(like, [*train, *held_out])
            n_held_out = sum(len(index) for index, _ in held_out)
            detector.set_params(calibration=n_held_out / len(sample))
            learn(detector, without_seams(detector.fit_prepare(sample), seams))
    except (InputError, OSError, ValueError, ArithmeticError, MemoryError) as error:
        reason = f"The detector of the group {group.name!r} cannot be fitted: {' '.join(str(error).split())}"
        return {**row, "status": "failed", "reason": reason}
    path.parent.mkdir(exist_ok=True)
    detector.save(path)
    return row


def _read(member: Member, job: Job) -> Series:
    try:
        return read_series(member.load(), name=member.name, **job.read)
    except InputError as error:
        raise InputError(f"in the series {member.name!r}: {error}") from None


def _parts(series: Sequence[Series], *, share: float, seed: int) -> tuple[Series, list[Rows], list[Rows]]:
    """What the series have in common, and the blocks to train on and to calibrate on."""
    like = series[0]
    train: list[Rows] = []
    held_out: list[Rows] = []
    most = SAMPLE_VALUES // like.n_channels // len(series)
    for one in series:
        if one.channels != like.channels:
            raise InputError(
                f"the channels of {one.name!r} are {', '.join(one.channels)}, and those of {like.name!r} are "
                f"{', '.join(like.channels)}: put them into different groups."
            )
        order = np.argsort(one.cells, kind="stable")[: one.train_end]
        stop = one.train_end - max(round(share * one.train_end), 1)
        for part, kept, limit in (
            (order[:stop], train, round((1 - share) * most)),
            (order[stop:], held_out, round(share * most)),
        ):
            kept += [
                (one.index[part][block], one.values[part][block])
                for block in blocks_of(len(part), limit, seed)
            ]
    return like, train, held_out
