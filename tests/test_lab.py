"""``vaenb lab``: notebooks that never overwrite a student's work, and a JupyterLab that really starts."""

import errno
import json
import os
import signal
import socket
import subprocess
import sys
import time
import tomllib
import urllib.error
import urllib.request
from contextlib import nullcontext
from pathlib import Path

import pytest

from vaenb import InputError, OutputError, lab
from vaenb.cli import main
from vaenb.lab import FIRST, MANIFEST, HandedOut, hand_out

COURSE = Path(__file__).parents[1] / "notebooks"


@pytest.fixture
def course(tmp_path, monkeypatch):
    """A small course to hand out, which a test may change."""
    source = tmp_path / "source"
    for name in (FIRST, "exercises/01.ipynb", "exercises/solutions/01.ipynb", "data/a.csv", "README.md"):
        path = source / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"first {name}")
    (source / ".ipynb_checkpoints").mkdir()
    (source / ".ipynb_checkpoints" / FIRST).write_text("x")
    monkeypatch.setattr(lab, "_notebooks", lambda: nullcontext(source))
    return source


NAMES = (FIRST, "data/a.csv", "exercises/01.ipynb")


def contents(folder):
    return {
        path.relative_to(folder).as_posix(): path.read_text()
        for path in folder.rglob("*")
        if path.is_file() and path.name != MANIFEST
    }


def test_a_student_gets_everything_but_the_solutions(course, tmp_path):
    assert hand_out(tmp_path / "a" / "b") == HandedOut(new=NAMES)
    assert contents(tmp_path / "a" / "b") == {name: f"first {name}" for name in NAMES}


def test_a_second_time_nothing_is_written(course, tmp_path):
    hand_out(tmp_path / "a")
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "a").rglob("*")}
    assert hand_out(tmp_path / "a") == HandedOut(same=NAMES)
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "a").rglob("*")} == before


def test_what_a_student_has_changed_stays(course, tmp_path):
    folder = tmp_path / "a"
    hand_out(folder)
    (folder / FIRST).write_text("mine")
    (folder / "my own.ipynb").write_text("mine too")
    assert hand_out(folder) == HandedOut(kept=(FIRST,), same=NAMES[1:])
    (course / FIRST).write_text("second")
    (course / "data/a.csv").write_text("second")
    assert hand_out(folder) == HandedOut(kept=(FIRST,), renewed=("data/a.csv",), same=NAMES[2:])
    assert contents(folder) == {
        FIRST: "mine",
        "my own.ipynb": "mine too",
        "data/a.csv": "second",
        "exercises/01.ipynb": "first exercises/01.ipynb",
    }
    (folder / FIRST).unlink()
    assert hand_out(folder).new == (FIRST,)
    assert (folder / FIRST).read_text() == "second"


def test_an_older_version_is_renewed_every_time(course, tmp_path):
    hand_out(tmp_path / "a")
    for text in ("second", "third"):
        (course / FIRST).write_text(text)
        assert hand_out(tmp_path / "a").renewed == (FIRST,)
        assert (tmp_path / "a" / FIRST).read_text() == text


@pytest.mark.parametrize("damage", ["", "[1]", '{"00_tour.ipynb": 3}', None])
def test_without_a_memory_every_file_that_differs_stays(course, tmp_path, damage):
    folder = tmp_path / "a"
    hand_out(folder)
    (folder / MANIFEST).unlink() if damage is None else (folder / MANIFEST).write_text(damage)
    (course / FIRST).write_text("second")
    assert hand_out(folder) == HandedOut(kept=(FIRST,), same=NAMES[1:])
    assert set(json.loads((folder / MANIFEST).read_text())) == set(NAMES[1:])


def test_a_file_of_somebody_else_stays(course, tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / FIRST).write_text("not ours")
    (tmp_path / "a" / "data").mkdir()
    (tmp_path / "a" / "data" / "a.csv").symlink_to(tmp_path / "nowhere")
    found = hand_out(tmp_path / "a")
    assert found == HandedOut(new=("exercises/01.ipynb",), kept=(FIRST, "data/a.csv"))
    assert str(found) == f"1 new file; kept as you changed them: {FIRST}, data/a.csv"
    assert not (tmp_path / "nowhere").exists()


def test_the_words():
    found = HandedOut(new=("a", "b"), renewed=("c",), same=("d",), kept=("e",))
    assert str(found) == "2 new files; 1 file renewed; 1 file as before; kept as you changed them: e"


# ---------------------------------------------------------------------- what goes wrong


def fails(capsys, *arguments):
    assert main(["lab", *map(str, arguments)]) == 2
    out, err = capsys.readouterr()
    assert err.startswith("vaenb: ")
    assert err.count("\n") == 1
    assert "Starting" not in out
    return err


def test_the_folder_is_a_file(course, tmp_path, capsys):
    (tmp_path / "a").write_text("x")
    told = "there is a file where a folder should be; choose another folder."
    assert told in fails(capsys, tmp_path / "a")
    assert told in fails(capsys, tmp_path / "a" / "b")
    (tmp_path / "c").mkdir()
    (tmp_path / "c" / "exercises").write_text("x")
    assert told in fails(capsys, tmp_path / "c")


def test_a_folder_that_cannot_be_made(course, tmp_path, capsys, monkeypatch):
    def refuse(*_, **__):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    monkeypatch.setattr(Path, "mkdir", refuse)
    assert "permission denied; choose another folder." in fails(capsys, tmp_path / "a")


@pytest.mark.parametrize(
    ("code", "told"),
    [(errno.ENOSPC, "disk is full"), (errno.EROFS, "disk is read-only"), (errno.EACCES, "may not write")],
)
def test_a_disk_that_takes_no_more(course, tmp_path, capsys, monkeypatch, code, told):
    real = os.fsync
    written = []

    def full(handle):
        if len(written) == 2:
            raise OSError(code, os.strerror(code))
        written.append(handle)
        real(handle)

    monkeypatch.setattr(os, "fsync", full)
    assert told in fails(capsys, tmp_path / "a")
    found = contents(tmp_path / "a")
    assert 0 < len(found) < 3
    assert all(text == f"first {name}" for name, text in found.items())
    monkeypatch.undo()


def test_jupyterlab_is_missing(course, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(lab, "find_spec", lambda name: None if name == "jupyterlab" else object())
    assert fails(capsys, tmp_path / "a") == (
        "vaenb: jupyterlab is not installed in this Python: pip install jupyterlab.\n"
    )
    assert not (tmp_path / "a").exists()
    monkeypatch.setattr(lab, "find_spec", lambda name: None)
    assert "pip install jupyterlab ipykernel." in fails(capsys, tmp_path / "a")


def test_an_installation_without_notebooks(tmp_path, monkeypatch):
    monkeypatch.setattr(lab, "__file__", str(tmp_path / "vaenb" / "lab.py"))
    monkeypatch.setattr(lab, "files", lambda _: tmp_path)
    with pytest.raises(InputError, match="did not come with this installation"):
        hand_out(tmp_path / "a")


def test_a_folder_is_refused_where_it_is_a_file_of_ours(course, tmp_path):
    (tmp_path / "a" / MANIFEST).mkdir(parents=True)
    with pytest.raises(OutputError, match="there is a folder of that name"):
        hand_out(tmp_path / "a")


# ---------------------------------------------------------------------- options


@pytest.mark.parametrize(
    ("given", "folder", "options"),
    [
        ([], "vaenb-course", []),
        (["mine"], "mine", []),
        (["--no-browser", "--port", "8899", "mine"], "mine", ["--no-browser", "--port=8899"]),
        (["mine", "--ip=0.0.0.0", "--allow-root"], "mine", ["--ip=0.0.0.0", "--allow-root"]),
        (["--ServerApp.token=x", "mine", "-y"], "mine", ["--ServerApp.token=x", "-y"]),
        (["--po=1"], "vaenb-course", ["--po=1"]),
    ],
)
def test_options_go_on_to_jupyterlab(course, tmp_path, monkeypatch, given, folder, options):
    asked = []
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(lab, "open_lab", lambda *arguments: asked.append(arguments))
    assert main(["lab", *given]) == 0
    assert asked == [(Path(folder), options)]
    assert (tmp_path / folder / FIRST).is_file()


def test_the_tour_is_opened_unless_somebody_wants_another_page(tmp_path, monkeypatch):
    import jupyterlab.labapp

    asked = []
    monkeypatch.setattr(jupyterlab.labapp, "main", lambda argv: asked.append(argv))
    lab.open_lab(tmp_path, ["--port=1"])
    lab.open_lab(tmp_path, ["--LabApp.default_url=/lab"])
    root = f"--ServerApp.root_dir={tmp_path}"
    assert asked == [
        [root, f"--LabApp.default_url=/lab/tree/{FIRST}", "--port=1"],
        [root, "--LabApp.default_url=/lab"],
    ]


def test_other_commands_still_refuse_what_they_do_not_know(capsys):
    with pytest.raises(SystemExit) as left:
        main(["datasets", "--colour"])
    assert left.value.code == 2
    assert "unrecognized arguments: --colour" in capsys.readouterr().err


# ---------------------------------------------------------------------- the real thing


def test_the_course_of_this_repository_is_handed_out(tmp_path):
    found = hand_out(tmp_path)
    notebooks = {path.relative_to(COURSE).as_posix() for path in COURSE.rglob("*.ipynb")}
    wanted = {name for name in notebooks if "solutions" not in name and "checkpoints" not in name}
    assert wanted == {name for name in found.new if name.endswith(".ipynb")}
    assert len(wanted) == 15


def test_the_wheel_brings_what_is_handed_out():
    project = tomllib.loads((COURSE.parent / "pyproject.toml").read_text())
    shipped = project["tool"]["hatch"]["build"]["targets"]["wheel"]["force-include"]
    assert shipped == {name: f"vaenb/{name}" for name in shipped}
    folders = {"notebooks/data"}
    handed_out = {path.relative_to(COURSE.parent).as_posix() for path in lab._files(COURSE)}
    assert set(shipped) - folders == {name for name in handed_out if str(Path(name).parent) not in folders}
    assert {str(Path(name).parent) for name in handed_out - set(shipped)} == folders


def test_jupyterlab_really_starts_in_the_folder(tmp_path):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    home = {f"JUPYTER_{kind}_DIR": str(tmp_path / kind) for kind in ("CONFIG", "DATA", "RUNTIME")}
    options = ["--no-browser", f"--port={port}", "--ServerApp.port_retries=0", "--allow-root"]
    command = [
        sys.executable,
        "-m",
        "vaenb.cli",
        "lab",
        "course",
        *options,
        "--IdentityProvider.token=secret",
    ]
    log = tmp_path / "log"
    with log.open("w") as said:
        server = subprocess.Popen(
            command,
            cwd=tmp_path,
            env={**os.environ, **home},
            stdout=said,
            stderr=said,
            start_new_session=True,
        )
    try:
        page = ask(f"http://127.0.0.1:{port}/lab/tree/{FIRST}?token=secret", server, log)
        assert "<title>JupyterLab</title>" in page
        listed = json.loads(ask(f"http://127.0.0.1:{port}/api/contents?token=secret", server, log))
        names = {entry["name"] for entry in listed["content"]}
        assert {FIRST, "exercises", "05_set_the_threshold.ipynb"} <= names
    finally:
        server.send_signal(signal.SIGTERM)
        assert server.wait(30) is not None
    told = log.read_text()
    assert told.startswith(f"The notebooks are in {tmp_path / 'course'}: ")
    assert f"/lab/tree/{FIRST}?token=" in told
    with pytest.raises(urllib.error.URLError):
        urllib.request.urlopen(f"http://127.0.0.1:{port}/api", timeout=5)


def ask(url, server, log, patience=90):
    """What a page says, as soon as the server answers."""
    until = time.monotonic() + patience
    while time.monotonic() < until and server.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=10) as answer:
                return answer.read().decode()
        except (urllib.error.URLError, ConnectionError):
            time.sleep(0.1)
    raise AssertionError(log.read_text())
