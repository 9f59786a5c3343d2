"""A training as lines of Python, from the series to the epoch that is looked at."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from vaenb.settings import as_code

if TYPE_CHECKING:
    from collections.abc import Mapping

    from vaenb.preparing import Prepared
    from vaenb.view_models.training import TrainingView

_PREPARE: Final = {"window_size": "auto", "stride": 1, "calibration": 0.2, "scaler": "robust"}
_VAE: Final = {
    "window_size": None,
    "n_channels": 1,
    "latent_dim": 8,
    "hidden": None,
    "encoder": "dense",
    "likelihood": "normal",
    "scale": "per_point",
    "prior": "standard",
    "kl_weight": 1.0,
    "seed": 0,
}
_MADE: Final = "TrainingPanel(training, epochs={epochs})"
_WATCH: Final = {"n_cloud": 300, "pinned": None, "seed": 0}


def setup_code(prepared: Prepared, vae: Mapping[str, Any], watch: Mapping[str, Any]) -> str:
    """The lines from a series to the callable that trains.

    Parameters
    ----------
    prepared : Prepared
    vae : mapping
        All of ``VAE.settings``.
    watch : mapping
        What `watch_training` was called with, besides model and data.
    """
    lines = ["import vaenb", ""]
    lines += _series_lines(prepared.series.name)
    lines.append(f"prepared = vaenb.{as_code('prepare', _prepare_settings(prepared), _PREPARE)}")
    lines[-1] = lines[-1].replace("prepare(", "prepare(series, ", 1)
    lines.append(f"vae = vaenb.{as_code('VAE', dict(vae), _VAE)}")
    known = {**dict.fromkeys(watch), **_WATCH}
    call = as_code("watch_training", watch, known)
    lines.append(f"training = vaenb.{call}".replace("training(", "training(vae, prepared, ", 1))
    return "\n".join(lines).replace(", )", ")")


def _series_lines(name: str) -> list[str]:
    from vaenb.datasets import list_datasets

    if name in set(list_datasets()["name"]):
        return [f"series = vaenb.load_dataset({name!r})"]
    return [f"# series: {name}, as you have read it"]


def _prepare_settings(prepared: Prepared) -> dict[str, Any]:
    series = prepared.series
    held_out = series.train_end - int(np.searchsorted(np.sort(series.cells), prepared.train_stop))
    usual = max(round(0.2 * series.train_end), 1)
    kind, limit = prepared.scaler.kind, prepared.scaler.limit
    return {
        "window_size": prepared.window_size,
        "stride": prepared.everything.stride,
        "calibration": 0.2 if held_out == usual else held_out / series.train_end,
        "scaler": kind if limit == 10.0 else _Verbatim(f"vaenb.Scaler({kind!r}, limit={limit!r})"),
    }


class _Verbatim(str):
    """Text that stands in code as it is."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)


def panel_code(view: TrainingView, setup: str, *, made: str = _MADE) -> str:
    """The lines that make the panel and bring it to what is on screen.

    Parameters
    ----------
    view : TrainingView
    setup : str
        The lines before: those that make ``training``.
    made : str
        How the panel is made.
    """
    runs = [epochs for epochs in view.runs if epochs] if not view.is_running else []
    first = runs[0] if runs else view.epochs
    lines = [setup] if setup else ["import vaenb", ""]
    lines.append(f"panel = vaenb.{made.format(epochs=first)}")
    for epochs in runs:
        told = "" if epochs == first else f"epochs={epochs}"
        first = epochs
        lines += [f"panel.start({told})", "panel.wait()"]
    if view.channel:
        lines.append(f"panel.show_channel({view.channels[view.channel]!r})")
    if view.chosen is not None:
        lines.append(f"panel.show_epoch({view.chosen})")
    return "\n".join([*lines, "panel"])
