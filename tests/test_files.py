"""Whole or not at all: what is left on the disk when writing goes wrong."""

import errno
import os
import re
import subprocess
import sys

import pytest

from vaenb.errors import OutputError
from vaenb.files import atomic_write


def names(folder):
    return sorted(entry.name for entry in folder.iterdir())


@pytest.fixture
def old(tmp_path):
    path = tmp_path / "scores.csv"
    path.write_bytes(b"old")
    return path


def test_bytes_and_text_arrive_as_they_were_written(tmp_path):
    with atomic_write(tmp_path / "a") as file:
        file.write(b"\x00\r\n\xff")
    with atomic_write(str(tmp_path / "b"), "w") as file:
        file.write("grüße\r\n\n")
    assert (tmp_path / "a").read_bytes() == b"\x00\r\n\xff"
    assert (tmp_path / "b").read_bytes() == "grüße\r\n\n".encode()
    assert names(tmp_path) == ["a", "b"]


def test_the_old_file_stays_until_the_block_ends(old):
    with atomic_write(old) as file:
        file.write(b"new")
        file.flush()
        assert old.read_bytes() == b"old"
        assert len(names(old.parent)) == 2
    assert old.read_bytes() == b"new"
    assert names(old.parent) == ["scores.csv"]


@pytest.mark.parametrize("error", [KeyError("no"), KeyboardInterrupt(), SystemExit(3)])
def test_an_error_in_the_block_passes_and_changes_nothing(old, error):
    def write():
        with atomic_write(old) as file:
            file.write(b"new")
            raise error

    with pytest.raises(type(error)) as caught:
        write()
    assert caught.value is error
    assert old.read_bytes() == b"old"
    assert names(old.parent) == ["scores.csv"]


@pytest.mark.parametrize(
    ("number", "said"),
    [
        (errno.ENOSPC, "the disk is full; free some space, or choose another folder"),
        (errno.EDQUOT, "your share of the disk is used up"),
        (errno.EROFS, "the disk is read-only; choose another folder"),
        (errno.EACCES, "you may not write there; change the permissions"),
        (errno.EPERM, "you may not write there"),
        (errno.EIO, os.strerror(errno.EIO)),
    ],
)
@pytest.mark.parametrize("step", ["open", "fsync", "write", "replace"])
def test_a_refusal_is_one_sentence_and_changes_nothing(old, monkeypatch, step, number, said):
    def refuse(*_args, **_kwargs):
        raise OSError(number, os.strerror(number))

    def write():
        with atomic_write(old) as file:
            file.write(b"new")
            if step == "write":
                refuse()

    if step == "replace":
        monkeypatch.setattr("pathlib.Path.replace", refuse)
    elif step != "write":
        monkeypatch.setattr(f"vaenb.files.os.{step}", refuse)
    sentence = f"^Cannot write {re.escape(repr(str(old)))}: {re.escape(said)}.*\\.$"
    with pytest.raises(OutputError, match=sentence) as caught:
        write()
    assert isinstance(caught.value.__cause__, OSError)
    assert old.read_bytes() == b"old"
    assert names(old.parent) == ["scores.csv"]


def test_places_where_no_file_can_be(old):
    folder = old.parent
    for path, said in [
        (folder / "none" / "x.csv", "its folder does not exist; create it first"),
        (old / "x.csv", "what should be its folder is a file"),
        (folder, "there is a folder of that name; choose another name"),
        (folder / ("x" * 300), "its name is too long; choose a shorter one"),
        ("/dev/null", "it is a device, not a file"),
    ]:
        with pytest.raises(OutputError, match=said), atomic_write(path) as file:
            file.write(b"new")
    assert names(folder) == ["scores.csv"]


def test_a_disk_that_ends_in_mid_write(old):
    """A real refusal by the system, half-way through: no file of the child may grow beyond 100 kB."""
    code = f"""
import resource
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
from vaenb.files import atomic_write
with atomic_write({str(old)!r}) as file:
    for _ in range(1000):
        file.write(bytes(1000))
"""
    child = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert child.returncode == 1
    last = child.stderr.strip().splitlines()[-1]
    assert last.startswith("vaenb.errors.OutputError: Cannot write")
    assert last.endswith("a file may not grow that large there; choose another folder.")
    assert "Exception ignored" not in child.stderr
    assert old.read_bytes() == b"old"
    assert names(old.parent) == ["scores.csv"]


def test_a_process_killed_in_mid_write_leaves_the_old_file(old):
    code = f"""
import os, signal
from vaenb.files import atomic_write
with atomic_write({str(old)!r}) as file:
    file.write(bytes(1_000_000))
    file.flush()
    os.kill(os.getpid(), signal.SIGKILL)
"""
    child = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False)
    assert child.returncode == -9
    assert old.read_bytes() == b"old"
    left = [name for name in names(old.parent) if name != "scores.csv"]
    assert len(left) == 1
    assert re.fullmatch(r"\.vaenb-[0-9a-f]{16}\.tmp", left[0])
    with atomic_write(old) as file:
        file.write(b"new")
    assert old.read_bytes() == b"new"


def test_permissions_are_those_of_the_old_file_or_of_any_new_one(old):
    old.chmod(0o640)
    with atomic_write(old) as file:
        file.write(b"new")
    assert old.stat().st_mode & 0o777 == 0o640
    plain = old.with_name("plain")
    plain.write_bytes(b"")
    with atomic_write(old.with_name("fresh")) as file:
        file.write(b"new")
    assert old.with_name("fresh").stat().st_mode == plain.stat().st_mode


def test_a_symbolic_link_is_followed(old):
    link = old.with_name("link")
    link.symlink_to(old)
    with atomic_write(link) as file:
        file.write(b"new")
    assert link.is_symlink()
    assert old.read_bytes() == b"new"
