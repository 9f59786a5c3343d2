"""How vaenb grows with the length of a series: 10,000 points to 10,000,000.

    python tests/benchmarks/scale.py [--lengths 10000,100000,1000000,10000000]

A process for each length takes the steps of `VAEDetector` one after the other, with a fixed number of
training steps: training does not grow with the series unless it is asked to. For each step: seconds, and the
peak of the memory that is resident, above what TensorFlow's imports took. Linux lets the peak be set back
before each step; elsewhere a step's peak is that of all steps so far. The last columns say how a step grows:
its seconds are proportional to the points to the power of so much, from one length to the next.
"""

from __future__ import annotations

import argparse
import math
from itertools import pairwise

from common import in_fresh_python, save, table
from memory import PEAK

MB = 2**20
STEPS = ("prepare", "train", "score", "threshold", "judge", "open the panel", "first move", "move its line")
CODE = """
import time
import vaenb
from vaenb.backend import keras
n, size, epochs, steps = map(int, sys.argv[1:])

def forget_peak():
    try:
        with open("/proc/self/clear_refs", "w") as peaks:
            peaks.write("5")
    except OSError:
        pass

own, told = peak(), {}

class Step:
    def __init__(self, name):
        self.name = name
    def __enter__(self):
        forget_peak()
        self.began = time.perf_counter()
    def __exit__(self, *_):
        told[f"{self.name} s"] = time.perf_counter() - self.began
        told[f"{self.name} peak"] = peak() - own

values = make(n)
labels = np.zeros(n, dtype=np.int8)
for place in np.random.default_rng(1).integers(n // 2, n - size, max(3, n // 100_000)):
    values[place:place + 30] += 0.5
    labels[place:place + 30] = 1
detector = vaenb.VAEDetector(window_size=size, epochs=epochs, steps_per_epoch=steps)
with Step("prepare"):
    series = vaenb.read_series(values, labels=labels, train_end=0.5)
    prepared = detector.fit_prepare(series)
with Step("train"):
    detector.fit_build()
    detector.fit_train(prepared)
with Step("score"):
    scores = detector.fit_score(prepared)
with Step("threshold"):
    detector.fit_threshold(prepared, scores)
with Step("judge"):
    report = vaenb.evaluate(
        labels, detector.decision_scores_, detector.rule_, values=values, train_end=n // 2, window_size=size,
        baselines=False,
    )
with Step("open the panel"):
    panel = vaenb.ThresholdPanel(
        detector.scores_, values=values, labels=labels, calibration_scores=detector.calibration_scores_,
        calibration=(prepared.train_stop, prepared.calibration_stop), window_size=size,
    )
moves = []
with Step("move its line"):
    for place in np.quantile(detector.calibration_scores_, np.linspace(0.9, 1, 21)):
        began = time.perf_counter()
        panel.threshold = float(place)
        moves.append(time.perf_counter() - began)
told["first move s"] = moves[0]
told["move its line s"] = float(np.median(moves[1:]))
panel.close()
print(json.dumps({"own": own, **told}))
"""


def measure(length: int, asked: argparse.Namespace) -> dict[str, float]:
    """Seconds and peak of each step at one length."""
    settings = (length, asked.window_size, asked.epochs, asked.steps)
    return in_fresh_python(PEAK + CODE, *map(str, settings))


def exponents(name: str, found: dict[int, dict[str, float]]) -> dict[str, float]:
    """The power of the number of points that a figure follows, from each length to the next."""
    lengths = list(found)
    return {
        f"to {b:.0e}".replace("e+0", "e"): math.log(found[b][name] / found[a][name]) / math.log(b / a)
        for a, b in pairwise(lengths)
        if found[a][name] > 0 and found[b][name] > 0
    }


def rows(found: dict[int, dict[str, float]]) -> list[dict[str, object]]:
    """A line for each step: seconds and MB at each length, and the exponents of the seconds."""
    return [
        {
            "step": step,
            **{f"{n:.0e} s".replace("e+0", "e"): told[f"{step} s"] for n, told in found.items()},
            **{f"{n:.0e} MB".replace("e+0", "e"): _mb(told, step) for n, told in found.items()},
            **exponents(f"{step} s", found),
        }
        for step in STEPS
    ]


def _mb(told: dict[str, float], step: str) -> float | None:
    """The peak of a step; the first move's is that of all moves."""
    peak = told.get(f"{step} peak")
    return None if peak is None else peak / MB


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--lengths", default="10000,100000,1000000,10000000", help="between commas")
    parser.add_argument("--window-size", type=int, default=64)
    parser.add_argument("--epochs", type=int, default=2)
    parser.add_argument("--steps", type=int, default=100, help="training steps an epoch")
    asked = parser.parse_args()
    found: dict[int, dict[str, float]] = {}
    for length in map(int, asked.lengths.split(",")):
        found[length] = measure(length, asked)
        told = ", ".join(f"{step} {found[length][f'{step} s']:.3g} s" for step in STEPS)
        print(f"{length:,} points: {told}", flush=True)
    made = rows(found)
    print("", table(made), "", sep="\n")
    print("Written to", save("scale", {"measured": found, "table": made}))


if __name__ == "__main__":
    main()
