"""What stops a training under which version of ipykernel: the table in the documentation of `TrainingPanel`.

Builds a light environment for each version (no TensorFlow), runs each way to stop in a real JupyterLab, and
prints the table::

    python tests/benchmarks/ipykernel_matrix.py --places kernels

"yes": the training ended within a few seconds and the best weights are kept. "no": it went on.
"""

import argparse
import contextlib
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "browser"), str(ROOT / "tests" / "panels")]
os.environ["PYTHONPATH"] = os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])

import training_stops as stops  # noqa: E402
from conftest import CHROMIUM, FLAGS  # noqa: E402
from lab_page import Lab  # noqa: E402
from lab_server import KERNEL, LabServer  # noqa: E402
from playwright.sync_api import sync_playwright  # noqa: E402

VERSIONS = {"6.31": "==6.31.0", "7.3": "==7.3.*", "7.4": "==7.4.*"}
NEEDS = ("ipywidgets>=8.1", "bqplot>=0.13", "numpy>=2", "pandas>=2.2.3")
SECONDS = 20.0


def environment(places, version):
    """The Python of an environment with this ipykernel."""
    python = places / f"ipykernel-{version}" / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", python.parents[1]], check=True)
        packages = [f"ipykernel{VERSIONS[version]}", *NEEDS]
        subprocess.run([python, "-m", "pip", "install", "--quiet", *packages], check=True)
    return python


def use(server, python):
    """From now on the server's kernels are of this Python."""
    path = server.place / "data" / "kernels" / KERNEL / "kernel.json"
    spec = json.loads(path.read_text())
    spec["argv"][0] = str(python)
    path.write_text(json.dumps(spec))


def works(server, context, way):
    """Whether a way stops the training and keeps the best weights."""
    lab = Lab(server, context, tempfile.mkdtemp())
    try:
        mark = stops.begin(lab, way)
        way(lab)
        with contextlib.suppress(AssertionError):
            lab.until(mark.exists, seconds=SECONDS)
        if not mark.exists():
            return "no"
        lab.wait_idle()
        _, keeps, runs, said = stops.outcome(lab, way)
        return "yes" if keeps and not runs and not said else "badly"
    finally:
        lab.end()


def main():
    """Print the table."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--places", type=Path, default=Path(tempfile.gettempdir()) / "vaenb-kernels")
    asked.add_argument("--versions", nargs="*", default=list(VERSIONS), choices=list(VERSIONS))
    chosen = asked.parse_args()
    found = {}
    with sync_playwright() as playwright, tempfile.TemporaryDirectory() as place:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        context = browser.new_context(viewport={"width": 1280, "height": 1000})
        server = LabServer(place)
        try:
            for version in chosen.versions:
                use(server, environment(chosen.places, version))
                for way in stops.WAYS:
                    found[way, version] = works(server, context, way)
                    print(f"{version:6} {found[way, version]:6} {way.__doc__}", flush=True)
        finally:
            server.end()
            browser.close()
    print(f"\n{'':56}" + "".join(f"{version:8}" for version in chosen.versions))
    for way in stops.WAYS:
        row = "".join(f"{found[way, version]:8}" for version in chosen.versions)
        print(f"{way.__doc__.rstrip('.'):56}{row}")


if __name__ == "__main__":
    main()
