"""How long ``import vaenb`` takes, and that it brings neither TensorFlow nor pandas.

python tests/benchmarks/import_time.py [--rounds 15]
"""

from __future__ import annotations

import argparse
import subprocess
import sys

from common import in_fresh_python, median, save, seconds_of, table, take_turns, verdict

PROMISE = 0.1  # seconds
HEAVY = (
    "tensorflow",
    "tensorflow_probability",
    "keras",
    "pandas",
    "scipy",
    "sklearn",
    "ipywidgets",
    "bqplot",
)
LOADED = f"""
import json, sys
import vaenb
print(json.dumps({{name: name in sys.modules for name in {HEAVY}}}))
"""


def start_python(code: str) -> float:
    """The seconds from the start of a Python that runs some code to its end."""
    return seconds_of(lambda: subprocess.run([sys.executable, "-c", code], check=True))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=15, help="turns of each start after the first")
    asked = parser.parse_args()
    codes = {
        "python alone": "pass",
        "import numpy": "import numpy",
        "import vaenb": "import vaenb",
        "import vaenb, and one name": "import vaenb; vaenb.make_windows",
    }
    times = take_turns(
        {name: lambda code=code: start_python(code) for name, code in codes.items()}, asked.rounds + 1
    )
    bare = times["python alone"][1:]
    rows = [
        {
            "start of": name,
            "s": median(seconds),
            "beyond python alone": median([a - b for a, b in zip(seconds, bare, strict=True)]),
            "at best": min(seconds) - min(bare),
        }
        for name, (_, *seconds) in times.items()
    ]
    loaded = [name for name, is_there in in_fresh_python(LOADED).items() if is_there]
    print(table(rows), "", sep="\n")
    print(f"Loaded by import vaenb, of {', '.join(HEAVY)}: {', '.join(loaded) or 'none'}")
    took = next(row for row in rows if row["start of"] == "import vaenb")["beyond python alone"]
    told = verdict(kept=took < PROMISE and not loaded)
    print(f"Promise: under {PROMISE} s, without TensorFlow: {told}")
    print("Written to", save("import_time", {"rows": rows, "loaded": loaded}))


if __name__ == "__main__":
    main()
