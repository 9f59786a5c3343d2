"""The folder of a run over many series, written without training: rows, scores, and the series themselves."""

import json

import numpy as np
import pandas as pd

from vaenb.fleet.output import Output
from vaenb.fleet.work import Job


def make_fleet(folder, n=40, *, n_points=300, failed=(3,), waiting=(), seed=0, files=True):
    """Write `n` series into ``folder/plant`` and the results of a run into ``folder/out``.

    Series k is called ``pump-k`` and has the more severe events the larger ``7 * k % n`` is.

    Returns
    -------
    tuple of Path
        ``folder/plant`` and ``folder/out``.
    """
    rng = np.random.default_rng(seed)
    source, output = folder / "plant", Output(folder / "out")
    source.mkdir()
    output.begin(Job(saves=True).mark)
    output.remember(source, None)
    for k in range(n):
        name = f"pump-{k}"
        if files:
            values = np.sin(np.arange(n_points) / 5) + 0.1 * rng.normal(size=n_points)
            np.savetxt(source / f"{name}.csv", values, header="value", comments="")
        else:
            (source / f"{name}.csv").touch()
        if k in waiting:
            continue
        if k in failed:
            row = {"series": name, "status": "failed", "reason": "The column 'value' holds one value only."}
        else:
            row = _results(output, name, 7 * k % n / n, n_points, rng)
        output.row(name).write_text(json.dumps({**row, "seconds": 0.5}))
    return source, output.folder


def _results(output, name, how_bad, n_points, rng):
    scores = rng.exponential(size=n_points)
    peak = int(rng.integers(10, n_points - 20))
    scores[peak : peak + 9] += 5 + 40 * how_bad
    threshold = 12.0
    flags = (scores > threshold).astype(np.int8)
    time = np.arange(n_points)
    place = output.place("scores", name)
    place.mkdir()
    pd.DataFrame({"time": time, "score": scores, "flag": flags}).to_parquet(place / "part-0.parquet")
    return {
        "series": name,
        "status": "done",
        "reason": "",
        "n_points": n_points,
        "n_channels": 1,
        "window_size": 16,
        "threshold": threshold,
        "n_events": int(flags.any()),
        "worst_severity": max(0.0, float(scores.max() - threshold) / threshold),
        "flagged": float(flags.mean()),
        "highest_score": float(scores.max()),
    }
