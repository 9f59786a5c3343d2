"""The command ``vaenb lab``: the notebooks of the course in a folder, and JupyterLab on them."""

from __future__ import annotations

import contextlib
import hashlib
import json
from dataclasses import dataclass
from importlib.resources import as_file, files
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Final

from vaenb.errors import InputError, OutputError
from vaenb.files import atomic_write
from vaenb.formats import counted

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

FIRST: Final = "00_tour.ipynb"
MANIFEST: Final = ".vaenb-course.json"
_SUFFIXES: Final = {".ipynb", ".csv", ".png", ".svg"}  # README.md is for the teacher
_NOT_FOR_STUDENTS: Final = {"solutions", ".ipynb_checkpoints"}


@dataclass(frozen=True, kw_only=True)
class HandedOut:
    """What came of handing out the notebooks; paths within the folder.

    Attributes
    ----------
    new, renewed : tuple of str
        Files that were not there, and older versions that nobody had changed.
    kept : tuple of str
        Files that differ from what was handed out: somebody has worked in them, and they stay.
    same : tuple of str
        Files that were there as they are.
    """

    new: tuple[str, ...] = ()
    renewed: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()
    same: tuple[str, ...] = ()

    def __str__(self) -> str:
        told = [f"{counted(len(self.new), 'new file')}"] if self.new else []
        told += [f"{counted(len(self.renewed), 'file')} renewed"] if self.renewed else []
        told += [f"{counted(len(self.same), 'file')} as before"] if self.same else []
        told += [f"kept as you changed them: {', '.join(self.kept)}"] if self.kept else []
        return "; ".join(told)


def hand_out(folder: Path) -> HandedOut:
    """Put the notebooks of the course into a folder, without touching what somebody has changed there.

    A hidden file in the folder remembers what was handed out, so that unchanged older versions are renewed
    and all others stay. Each file appears whole or not at all. Who wants a notebook afresh deletes it first.

    Parameters
    ----------
    folder : Path
        Made where it does not exist.

    Returns
    -------
    HandedOut

    Raises
    ------
    InputError
        If the notebooks did not come with this installation.
    OutputError
        If the folder cannot be made or written to.
    """
    _make(folder)
    before = _read_manifest(folder / MANIFEST)
    after, found = dict(before), dict[str, str]()
    with _notebooks() as source:
        for path in _files(source):
            name = path.relative_to(source).as_posix()
            content = path.read_bytes()
            found[name] = _put(content, folder / name, before.get(name))
            if found[name] != "kept":
                after[name] = _hash(content)
    if after != before:
        with atomic_write(folder / MANIFEST, "w") as file:
            file.write(json.dumps(after, indent=1, sort_keys=True) + "\n")
    return HandedOut(
        **{
            kind: tuple(name for name, what in found.items() if what == kind)
            for kind in ("new", "renewed", "kept", "same")
        }
    )


def _put(content: bytes, target: Path, handed_out: str | None) -> str:
    """Write one file where that loses nothing; "new", "renewed", "kept" or "same"."""
    if target.is_symlink() or target.exists():
        present = _hash(target.read_bytes()) if target.is_file() else None
        if present == _hash(content):
            return "same"
        if present is None or present != handed_out:
            return "kept"
    is_new = not target.exists()
    _make(target.parent)
    with atomic_write(target) as file:
        file.write(content)
    return "new" if is_new else "renewed"


def _hash(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError):
        raise OutputError(
            f"Cannot put the notebooks into {str(folder)!r}: there is a file where a folder should be; "
            "choose another folder."
        ) from None
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise OutputError(
            f"Cannot make the folder {str(folder)!r}: {reason}; choose another folder."
        ) from error


def _read_manifest(path: Path) -> dict[str, str]:
    """What was handed out before; nothing where that is not known, so that every file that differs stays."""
    try:
        read = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    if not isinstance(read, dict):
        return {}
    return {name: value for name, value in read.items() if isinstance(value, str)}


@contextlib.contextmanager
def _notebooks() -> Iterator[Path]:
    """The folder of the notebooks: in the package, or beside it in the source tree."""
    package = files("vaenb")
    if (package / "notebooks" / FIRST).is_file():
        with as_file(package / "notebooks") as folder:
            yield folder
        return
    beside = Path(__file__).parents[1] / "notebooks"
    if not (beside / FIRST).is_file():
        raise InputError("The notebooks did not come with this installation of vaenb: install it again.")
    yield beside


def _files(source: Path) -> list[Path]:
    """What a student gets: everything but the solutions, in order."""
    found = (path for path in source.rglob("*") if path.is_file() and path.suffix in _SUFFIXES)
    return sorted(path for path in found if not _NOT_FOR_STUDENTS & set(path.relative_to(source).parts))


# ---------------------------------------------------------------------- JupyterLab


def open_lab(folder: Path, options: Sequence[str]) -> None:
    """Start JupyterLab in a folder, with the tour opened; returns when it ends.

    Parameters
    ----------
    folder : Path
    options : sequence of str
        For JupyterLab.

    Raises
    ------
    InputError
        If JupyterLab is not installed.
    """
    require_lab()
    from jupyterlab.labapp import main

    mine = [f"--ServerApp.root_dir={folder.resolve()}"]
    if not any(option.startswith("--LabApp.default_url") for option in options):
        mine.append(f"--LabApp.default_url=/lab/tree/{FIRST}")
    main(argv=[*mine, *options])


def require_lab() -> None:
    """Raise `InputError` where JupyterLab, or a kernel for it, is not installed."""
    missing = [name for name in ("jupyterlab", "ipykernel") if find_spec(name) is None]
    if missing:
        raise InputError(
            f"{' and '.join(missing)} {'is' if len(missing) == 1 else 'are'} not installed in this Python: "
            f"pip install {' '.join(missing)}."
        )
