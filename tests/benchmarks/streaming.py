"""How long an update of a stream takes: one point at a time, and a hundred.

    python tests/benchmarks/streaming.py [--rounds 300] [--longest 100000]

A detector on one channel (nyc_taxi, every half hour) and on 19 (server_metrics), with the default settings
but for a short training; what is timed is `vaenb.Stream.update` with rows of a DataFrame, and for comparison
`decision_function` of all points so far, which gives the same scores. The first calls compile, and are told
apart. Then the same on a stream of many points: an update must not take longer for it.
"""

from __future__ import annotations

import argparse
import warnings
from typing import TYPE_CHECKING

import numpy as np
from common import median, save, seconds_of, table, verdict

import vaenb

if TYPE_CHECKING:
    import pandas as pd

MOST = 0.010  # seconds a point, one at a time
LONGER = 1.5  # times as long after many points


def fitted(name: str) -> tuple[vaenb.VAEDetector, pd.DataFrame, int]:
    """A detector after a short training, all rows, and where the new ones begin."""
    series = vaenb.load_dataset(name)
    detector = vaenb.VAEDetector(epochs=2, steps_per_epoch=50).fit(series)
    return detector, series.frame, series.train_end


def times(stream: vaenb.Stream, rows: pd.DataFrame, size: int, rounds: int) -> list[float]:
    """Seconds of updates with so many points; the rows come again and again, in a stream without dates."""
    found = []
    for turn in range(rounds):
        part = rows.iloc[(turn * size) % (len(rows) - size) :][:size]
        found.append(seconds_of(lambda part=part: stream.update(part)))
    return found


def on(name: str, rounds: int, longest: int) -> list[dict[str, object]]:
    """One row for each size of an update."""
    detector, frame, first = fitted(name)
    plain = frame.reset_index(drop=True)
    past, new = plain[:first], plain[first:]
    whole = seconds_of(lambda: detector.decision_function(plain))
    found = []
    for size in (1, 100):
        stream = vaenb.Stream(detector, past)
        [compiles] = times(stream, new, size, 1)
        short = times(stream, new, size, rounds)
        while stream.n_rows < longest:
            stream.update(new)
        long = times(stream, new, size, rounds)
        found.append(
            {
                "series": name,
                "channels": plain.shape[1],
                "points at a time": size,
                "first ms": 1000 * compiles,
                "ms": 1000 * median(short),
                "ms a point": 1000 * median(short) / size,
                "95 % ms": 1000 * float(np.quantile(short, 0.95)),
                f"ms after {longest:,}": 1000 * median(long),
                "all anew ms": 1000 * whole,
                "x": whole / median(short),
                "times as long": median(long) / median(short),
            }
        )
        print(f"{name}, {size} at a time: done", flush=True)
    return found


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=300)
    parser.add_argument("--longest", type=int, default=100_000)
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    rows = [
        row for name in ("nyc_taxi", "server_metrics") for row in on(name, options.rounds, options.longest)
    ]
    print(table(rows))
    slowest = max(float(str(row["ms a point"])) for row in rows) / 1000
    grows = max(float(str(row["times as long"])) for row in rows)
    print(f"Promise: {1000 * MOST:g} ms a point:", verdict(kept=slowest <= MOST))
    print(f"Promise: on a long stream at most {LONGER:g} times as long:", verdict(kept=grows <= LONGER))
    print("Written to", save("streaming", {"rows": rows}))


if __name__ == "__main__":
    main()
