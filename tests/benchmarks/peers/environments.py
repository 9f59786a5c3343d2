"""A Python of its own for each peer, made when it is first wanted.

    python tests/benchmarks/peers/environments.py [pyod alibi_detect tf_keras tsb_ad]

`<name>.txt` beside this file is what is installed. The environments lie in ``~/.cache/vaenb-benchmarks``, or
in the folder that the environment variable ``VAENB_BENCHMARKS`` names; one whose .txt has changed is made
anew.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path

HERE = Path(__file__).parent
NAMES = ("pyod", "alibi_detect", "tf_keras", "tsb_ad")
VERSION = (3, 11)  # the newest Python that all the peers' pins have wheels for


class EnvironmentFailed(RuntimeError):
    """A peer could not be installed here; the message says why."""


def folder() -> Path:
    """Where the environments lie."""
    return Path(os.environ.get("VAENB_BENCHMARKS", Path.home() / ".cache" / "vaenb-benchmarks"))


def python(name: str) -> str:
    """The interpreter of a peer's environment, installed now if it is not there yet."""
    place, wanted = folder() / name, _wanted(name)
    stamp = place / "installed"
    if not stamp.exists() or stamp.read_text() != wanted:
        _make(place, name)
        stamp.write_text(wanted)
    return str(_interpreter(place))


def versions(name: str) -> list[str]:
    """Every package of an environment, as pip freezes them."""
    told = subprocess.run([python(name), "-m", "pip", "freeze"], capture_output=True, text=True, check=True)
    return told.stdout.splitlines()


def _wanted(name: str) -> str:
    return hashlib.sha256((HERE / f"{name}.txt").read_bytes()).hexdigest()


def _interpreter(place: Path) -> Path:
    return place / ("Scripts" if os.name == "nt" else "bin") / "python"


def _make(place: Path, name: str) -> None:
    """A fresh environment, with all that the .txt asks for."""
    print(f"Installing {name} into {place} ...", flush=True)
    shutil.rmtree(place, ignore_errors=True)
    if sys.version_info[:2] == VERSION:
        venv.create(place, with_pip=True)
    else:
        _run([f"python{VERSION[0]}.{VERSION[1]}", "-m", "venv", str(place)], name)
    _run([str(_interpreter(place)), "-m", "pip", "install", "-q", "-r", str(HERE / f"{name}.txt")], name)


def _run(command: list[str], name: str) -> None:
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError as error:
        raise EnvironmentFailed(f"{name}: there is no {command[0]} here") from error
    if done.returncode:
        raise EnvironmentFailed(f"{name} could not be installed:\n{done.stderr[-2000:]}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", default=NAMES, help="which ones (default: all)")
    for name in parser.parse_args().names:
        try:
            print(f"{name}: {python(name)}", flush=True)
        except EnvironmentFailed as failure:
            print(failure, flush=True)


if __name__ == "__main__":
    main()
