"""A saved study: a fitted detector and the evidence that the panels show, in one bundle. NumPy ring.

Opening the evidence needs no TensorFlow; the detector's part is handed on as it stands in the file.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from vaenb.bundle import read_bundle, write_bundle
from vaenb.errors import BundleError, InputError
from vaenb.evidence import EpochFrame, Evidence, WalkGrid, WindowSample
from vaenb.records_file import (
    DAMAGE,
    history_arrays,
    history_meta,
    read_history,
    read_series_record,
    series_arrays,
    series_meta,
    setting_from_json,
    setting_to_json,
    short,
    under,
)
from vaenb.thresholding import from_settings

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping

    from numpy.typing import NDArray

    Arrays = Mapping[str, NDArray[Any]]
    Meta = Mapping[str, Any]
    Path = str | os.PathLike[str]
    Part = tuple[dict[str, NDArray[Any]], dict[str, Any]]

KIND: Final = "study"
_ON_CELLS: Final = ("scores", "reconstruction", "spread")
_PLAIN: Final = (*_ON_CELLS, "calibration_scores", "normal_by_channel", "frame_starts")
_SAMPLE: Final = ("starts", "latent", "kl_per_dim", "scores", "mean", "spread", "shares")
_WALK: Final = ("origin", "across", "up", "a", "b", "mean", "spread")
_FRAME: Final = ("mean", "spread", "latent", "errors")
_WHOLE: Final = ("window_size", "train_stop", "calibration_stop", "pinned")


@dataclass(frozen=True, eq=False, kw_only=True)
class StudyFile:
    """What a saved study holds.

    Attributes
    ----------
    evidence : Evidence
    detector : tuple of dict
        Its arrays and its JSON, as `vaenb.saving.describe_detector` gives them.
    told : mapping
        What else is to be kept, as JSON.
    """

    evidence: Evidence
    detector: Part
    told: Meta = field(default_factory=dict)


def write_study(path: Path, study: StudyFile) -> None:
    """Save a study in one file, whole or not at all.

    Raises
    ------
    OutputError
        If it cannot be written; what was at `path` stays.
    InputError
        If it is too large for a bundle.
    """
    arrays, meta = _with_rule(study)
    every = {f"detector/{name}": value for name, value in arrays.items()}
    every |= {f"evidence/{name}": value for name, value in _evidence_arrays(study.evidence).items()}
    told = {"kind": KIND, "detector": meta, "evidence": _evidence_meta(study.evidence), "told": study.told}
    write_bundle(path, arrays=every, meta=told)


def read_study(path: Path) -> StudyFile:
    """Open a saved study; nothing in the file is executed, and no TensorFlow is needed.

    Raises
    ------
    BundleError
        If the file holds no study, is damaged, or was written by a newer version.
    """
    arrays, meta = read_bundle(path)
    if meta.get("kind") == "detector":
        raise BundleError(
            f"{str(path)!r} holds a detector without a study: open it with vaenb.load, or save the study "
            "with Study.save."
        )
    if meta.get("kind") != KIND:
        raise BundleError(f"{str(path)!r} holds {str(meta.get('kind'))[:40]!r}, not a study.")
    try:
        evidence = _evidence(under("evidence/", arrays), meta["evidence"])
        return StudyFile(
            evidence=evidence, detector=detector_part(path, arrays, meta), told=dict(meta["told"])
        )
    except BundleError:
        raise
    except DAMAGE as error:
        raise BundleError(
            f"{str(path)!r} does not hold a whole study ({short(error)}): save it again."
        ) from error


def detector_part(path: Path, arrays: Arrays, meta: Meta) -> Part:
    """The detector in what `read_bundle` has read from a saved study.

    Raises
    ------
    BundleError
        If there is none.
    """
    found = meta.get("detector")
    if not isinstance(found, dict):
        raise BundleError(f"{str(path)!r} does not hold a whole study (there is no detector): save it again.")
    return under("detector/", arrays), found


def _with_rule(study: StudyFile) -> Part:
    """The detector with the rule of the evidence, which a person may have changed since."""
    arrays, meta = study.detector
    rule = study.evidence.rule
    if rule.to_dict() == meta["rule"]:
        return arrays, meta
    flags = (arrays["decision_scores_"] > rule.threshold_).astype(np.int8)
    params = {**meta["params"], "threshold": setting_to_json(rule)}
    return {**arrays, "labels_": flags}, {**meta, "params": params, "rule": rule.to_dict()}


# ---------------------------------------------------------------------- evidence


def _evidence_arrays(evidence: Evidence) -> dict[str, NDArray[Any]]:
    arrays = {name: getattr(evidence, name) for name in _PLAIN}
    arrays |= {f"sample/{name}": getattr(evidence.sample, name) for name in _SAMPLE}
    arrays |= {f"series/{name}": value for name, value in series_arrays(evidence.series).items()}
    arrays |= {f"history/{name}": value for name, value in history_arrays(evidence.history).items()}
    if evidence.walk is not None:
        arrays |= {f"walk/{name}": getattr(evidence.walk, name) for name in _WALK}
    if evidence.frames:
        arrays["frames/epoch"] = np.array([frame.epoch for frame in evidence.frames], dtype=np.int64)
        for name in _FRAME:
            arrays[f"frames/{name}"] = np.stack([getattr(frame, name) for frame in evidence.frames])
    return arrays


def _evidence_meta(evidence: Evidence) -> dict[str, Any]:
    return {
        **{name: int(getattr(evidence, name)) for name in _WHOLE},
        "method": evidence.method,
        "rule": evidence.rule.to_dict(),
        "series": series_meta(evidence.series),
        "history": history_meta(evidence.history),
        "settings": {name: setting_to_json(value) for name, value in evidence.settings.items()},
    }


def _evidence(arrays: Arrays, meta: Meta) -> Evidence:
    rule = from_settings(meta["rule"])
    if not rule.is_fitted:
        raise InputError("its rule has seen no scores")
    walk, frames = under("walk/", arrays), under("frames/", arrays)
    whole = {name: int(meta[name]) for name in _WHOLE}
    evidence = Evidence(
        **{name: arrays[name] for name in _PLAIN},  # type: ignore[arg-type] # arrays, each of its kind
        **whole,  # type: ignore[arg-type] # whole numbers
        series=read_series_record(under("series/", arrays), meta["series"]),
        method=str(meta["method"]),
        rule=rule,
        sample=_sample(under("sample/", arrays), whole["window_size"]),
        walk=WalkGrid(**{name: walk[name] for name in _WALK}) if walk else None,
        history=read_history(under("history/", arrays), meta["history"]),
        frames=_frames(frames) if frames else (),
        settings={str(name): setting_from_json(value) for name, value in meta["settings"].items()},
    )
    _check(evidence)
    return evidence


def _sample(arrays: Arrays, window_size: int) -> WindowSample:
    return WindowSample(**{name: arrays[name] for name in _SAMPLE}, window_size=window_size)


def _frames(arrays: Arrays) -> tuple[EpochFrame, ...]:
    parts = [arrays[name] for name in _FRAME]
    if {len(part) for part in parts} != {len(arrays["epoch"])}:
        raise InputError("the frames of its training have different lengths")
    rows = zip(arrays["epoch"], *parts, strict=True)
    return tuple(EpochFrame(epoch=int(epoch), **dict(zip(_FRAME, row, strict=True))) for epoch, *row in rows)


def _check(evidence: Evidence) -> None:
    """Refuse arrays that do not belong to each other."""
    for name, (array, shape) in _shapes(evidence).items():
        sound = name.startswith("frames'") or np.isfinite(array).all()  # a training may have diverged
        if array.shape != shape or array.dtype.kind not in "fi" or not sound:
            raise InputError(f"its {name} does not fit the rest")
    n_cells, size = evidence.series.n_cells, evidence.window_size
    parts = 0 < evidence.train_stop < evidence.calibration_stop <= n_cells
    if not 0 < size <= n_cells or not parts:
        raise InputError("its parts do not fit the series")
    last = n_cells - size
    if not len(evidence.calibration_scores):
        raise InputError("it has no calibration scores")
    starts = np.concatenate([evidence.sample.starts, evidence.frame_starts, [evidence.pinned]])
    if starts.dtype.kind != "i" or not len(evidence.sample) or starts.min() < 0 or starts.max() > last:
        raise InputError("its windows do not lie in the series")


def _shapes(evidence: Evidence) -> dict[str, tuple[NDArray[Any], tuple[int, ...]]]:
    """Each array with the shape that it must have."""
    n_cells, n_channels = evidence.series.n_cells, evidence.series.n_channels
    n, n_dims = len(evidence.sample), len(evidence.sample.kl_per_dim)
    drawn = (evidence.window_size, n_channels)
    table = (n_cells, n_channels)
    wanted: dict[str, tuple[int, ...]] = {"scores": (n_cells,), "reconstruction": table, "spread": table}
    wanted |= {"normal_by_channel": (n_channels,), "calibration_scores": (len(evidence.calibration_scores),)}
    found = {name: (getattr(evidence, name), shape) for name, shape in wanted.items()}
    rows: dict[str, tuple[int, ...]] = {"starts": (n,), "latent": (n, n_dims), "kl_per_dim": (n_dims,)}
    rows |= {"scores": (n,), "mean": (n, *drawn), "spread": (n, *drawn), "shares": (n, n_channels)}
    found |= {f"sample's {name}": (getattr(evidence.sample, name), shape) for name, shape in rows.items()}
    if evidence.walk is not None:
        found |= _walk_shapes(evidence.walk, n_dims, drawn)
    for frame in evidence.frames[:1]:
        seen = len(evidence.frame_starts)
        shapes = {"mean": drawn, "spread": drawn, "latent": (seen, n_dims), "errors": (seen,)}
        found |= {f"frames' {name}": (getattr(frame, name), shape) for name, shape in shapes.items()}
    return found


def _walk_shapes(
    walk: WalkGrid, n_dims: int, drawn: tuple[int, ...]
) -> dict[str, tuple[NDArray[Any], tuple[int, ...]]]:
    ends: tuple[int, ...] = (len(walk.a), len(walk.b))
    shapes: dict[str, tuple[int, ...]] = dict.fromkeys(("origin", "across", "up"), (n_dims,))
    shapes |= {"a": ends[:1], "b": ends[1:], "mean": (*ends, *drawn), "spread": (*ends, *drawn)}
    return {f"walk's {name}": (getattr(walk, name), shape) for name, shape in shapes.items()}
