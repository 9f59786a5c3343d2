"""``binder/``: what is written there, and its environment built as repo2docker builds it, without Docker."""

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BINDER = ROOT / "binder"
PINNED = re.compile(r"^([A-Za-z0-9_.-]+)==[\w.+]+$")
MOST_MEGABYTES = 2300


def pins(name):
    lines = (BINDER / name).read_text().splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def plain(name):
    return re.split(r"[^\w.-]", name)[0].lower().replace("_", "-")


def test_every_package_is_pinned_and_every_dependency_is_there():
    lines = [*pins("requirements.txt"), *pins("no-deps.txt")]
    assert [line for line in lines if not PINNED.match(line)] == []
    names = [plain(line) for line in lines]
    assert len(names) == len(set(names))
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = {plain(each) for each in project["dependencies"]} - {"tensorflow"} | {"tensorflow-cpu"}
    assert wanted <= set(names)
    assert (BINDER / "runtime.txt").read_text() == "python-3.12\n"


def test_postbuild_stops_at_the_first_error():
    script = BINDER / "postBuild"
    assert os.access(script, os.X_OK)
    assert script.read_text().startswith("#!/bin/bash\n")
    assert re.search(r"^set -e$", script.read_text(), re.MULTILINE)


def test_the_settings_are_ones_that_jupyterlab_knows():
    import jupyterlab.commands

    schemas = Path(jupyterlab.commands.get_app_dir()) / "schemas"
    for name, settings in json.loads((BINDER / "overrides.json").read_text()).items():
        package, _, plugin = name.partition(":")
        schema = json.loads((schemas / package / f"{plugin}.json").read_text())
        assert set(settings) <= set(schema["properties"])


def test_the_badge_opens_the_tour():
    badge = re.search(
        r"\[!\[[^\]]+\]\([^)]+\)\]\((https://mybinder\.org/\S+)\)", (ROOT / "README.md").read_text()
    )
    _, _, path = badge[1].partition("?urlpath=lab/tree/")
    assert (ROOT / path).is_file()
    assert path == "notebooks/00_tour.ipynb"


def find_python():
    """A Python 3.12 that works, or else the running one."""
    roots = [os.environ.get("PYENV_ROOT", ""), Path.home() / ".pyenv"]
    found = [
        shutil.which("python3.12"),
        *(each for root in roots if root for each in Path(root).glob("versions/3.12*/bin/python")),
    ]
    for python in filter(None, found):
        said = subprocess.run([python, "--version"], capture_output=True, text=True, check=False)
        if said.stdout.startswith("Python 3.12"):
            return str(python)
    return sys.executable


@pytest.mark.binder
@pytest.mark.timeout(2700)  # four minutes on a quiet machine
def test_the_environment_is_built_and_runs_the_tour(tmp_path):
    repository, home, python = tmp_path / "repository", tmp_path / "home", find_python()
    left_out = shutil.ignore_patterns(
        ".git", ".*cache", ".hypothesis", "results", "node_modules", "labextension"
    )
    shutil.copytree(ROOT, repository, ignore=left_out)
    home.mkdir()
    subprocess.run([python, "-m", "venv", tmp_path / "venv"], check=True)
    wanted = (BINDER / "requirements.txt").read_text()
    if python == sys.executable and sys.version_info[:2] != (3, 12):
        wanted = wanted.replace("==", ">=0 #")  # the pins are for 3.12: take what this Python has
    (repository / "binder" / "requirements.txt").write_text(wanted)

    def run(*command):
        kept = {
            name: each
            for name, each in os.environ.items()
            if not name.startswith(("JUPYTER", "PYTHON", "VIRTUAL"))
        }
        mine = {"HOME": str(home), "PATH": f"{tmp_path / 'venv' / 'bin'}{os.pathsep}{os.environ['PATH']}"}
        done = subprocess.run(
            command, cwd=repository, env=kept | mine, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
        return done.stdout

    run("pip", "install", "--no-cache-dir", "-q", "-r", "binder/requirements.txt")
    run("binder/postBuild")
    settings = tmp_path / "venv" / "share" / "jupyter" / "lab" / "settings" / "overrides.json"
    assert settings.read_text() == (BINDER / "overrides.json").read_text()
    if (repository / "vaenb" / "labext").exists():
        assert (settings.parents[2] / "labextensions" / "vaenb" / "package.json").is_file()
    assert "@jupyterlab/toc:plugin" in run("jupyter", "lab", "workspaces", "export", "default")
    used = sum(path.lstat().st_size for path in (tmp_path / "venv").rglob("*") if path.is_file()) / 1e6
    print(f"the environment has {used:.0f} MB")
    assert used < MOST_MEGABYTES

    out = tmp_path / "out.ipynb"
    run(
        "python",
        "-m",
        "nbconvert",
        "--to",
        "notebook",
        "--execute",
        "--output",
        str(out),
        "notebooks/00_tour.ipynb",
    )
    cells = [cell for cell in json.loads(out.read_text())["cells"] if cell["cell_type"] == "code"]
    said = [output for cell in cells for output in cell["outputs"]]
    assert [cell["execution_count"] for cell in cells] == list(range(1, len(cells) + 1))
    assert any("events" in "".join(output.get("text", "")) for output in said)
    assert [
        output for output in said if output.get("name") == "stderr" or output["output_type"] == "error"
    ] == []
    handed_out = run(
        "python", "-c", "from pathlib import Path; from vaenb.lab import hand_out; print(hand_out(Path('x')))"
    )
    assert handed_out == "16 new files\n"
