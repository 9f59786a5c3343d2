"""One series larger than memory: the seconds and the peak memory of `vaenb.fleet.detect_large`.

    python tests/benchmarks/large.py [--points 1000000,10000000,100000000] [--kind parquet]

Writes a series of a wave, noise, a daily swing and a few planted anomalies into a temporary folder (10^8
points take 1.6 GB as Parquet), and runs `detect_large` on it in a process of its own, with the defaults. The
peak is the high-water mark of the resident set of the whole process, TensorFlow included.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
from common import in_fresh_python, save, table, verdict

PROMISE = 1_500  # MB, for 10^8 points
AT_ONCE = 5_000_000
MB = 2**20
RUN = """
import json, sys, time
import vaenb.fleet
path, out = sys.argv[1:]
began, marks = time.perf_counter(), []
events = vaenb.fleet.detect_large(path, out, on_begin=lambda *_: marks.append(time.perf_counter()),
                                  on_rows=lambda _: marks.append(time.perf_counter()))
ended = time.perf_counter()
with open("/proc/self/status") as status:
    peak = next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmHWM"))
print(json.dumps({"peak": peak, "fit": marks[1] - began, "score": ended - marks[1], "events": len(events)}))
"""


def write(path: Path, n_points: int) -> None:
    """Write the series; one row group for each 5,000,000 points."""
    rng, planted = np.random.default_rng(0), np.linspace(0.05, 0.95, 10) * n_points
    writer = None
    for begin in range(0, n_points, AT_ONCE):
        t = np.arange(begin, min(begin + AT_ONCE, n_points))
        value = np.sin(t / 8) + 0.5 * np.sin(2 * np.pi * t / 86_400) + rng.normal(scale=0.1, size=len(t))
        for place in planted:
            value[(t >= place) & (t < place + 30)] += 2.0
        when = (np.datetime64("2024-01-01", "s") + t).astype("datetime64[ns]")
        part = pa.Table.from_pandas(pd.DataFrame({"when": when, "value": value}), preserve_index=False)
        if writer is None:
            kind = pa.csv.CSVWriter if path.suffix == ".csv" else pq.ParquetWriter
            writer = kind(path, part.schema)
        writer.write_table(part)
    writer.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--points", default="1000000,10000000,100000000")
    parser.add_argument("--kind", default="parquet", choices=("parquet", "csv"))
    asked = parser.parse_args()
    rows = []
    for n_points in map(int, asked.points.split(",")):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / f"pump.{asked.kind}"
            write(path, n_points)
            size = path.stat().st_size
            found = in_fresh_python(RUN, str(path), f"{folder}/out")
        rows.append(
            {
                "points": n_points,
                "file MB": size / MB,
                "sample and fit s": found["fit"],
                "score s": found["score"],
                "points scored/s": n_points / found["score"],
                "peak MB": found["peak"] / MB,
                "events": found["events"],
            }
        )
        print(table(rows[-1:]), flush=True)
    print("", table(rows), "", sep="\n")
    kept = verdict(kept=rows[-1]["peak MB"] <= PROMISE)
    print(f"Promise: at most {PROMISE:,} MB: {kept} ({rows[-1]['peak MB']:,.0f})")
    print("Written to", save("large", {"kind": asked.kind, "rows": rows}))


if __name__ == "__main__":
    main()
