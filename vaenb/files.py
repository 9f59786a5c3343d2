"""Write a file whole or not at all."""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Literal, overload

from vaenb.errors import OutputError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager

_ANOTHER = "choose another folder"
_REASONS = {
    errno.ENOSPC: "the disk is full; free some space, or " + _ANOTHER,
    errno.EDQUOT: "your share of the disk is used up; free some space, or " + _ANOTHER,
    errno.EFBIG: "a file may not grow that large there; " + _ANOTHER,
    errno.EACCES: "you may not write there; change the permissions, or " + _ANOTHER,
    errno.EPERM: "you may not write there; change the permissions, or " + _ANOTHER,
    errno.EROFS: "the disk is read-only; " + _ANOTHER,
    errno.ENOENT: "its folder does not exist; create it first",
    errno.ENOTDIR: "what should be its folder is a file; " + _ANOTHER,
    errno.EISDIR: "there is a folder of that name; choose another name",
    errno.ENAMETOOLONG: "its name is too long; choose a shorter one",
}


@overload
def atomic_write(path: str | os.PathLike[str]) -> AbstractContextManager[IO[bytes]]: ...
@overload
def atomic_write(path: str | os.PathLike[str], mode: Literal["wb"]) -> AbstractContextManager[IO[bytes]]: ...
@overload
def atomic_write(path: str | os.PathLike[str], mode: Literal["w"]) -> AbstractContextManager[IO[str]]: ...
@contextlib.contextmanager
def atomic_write(path: str | os.PathLike[str], mode: Literal["wb", "w"] = "wb") -> Iterator[IO[Any]]:
    """Open a file that takes its place only when the block ends well.

    What is written goes to a temporary file in the same folder (``.vaenb-….tmp``), is brought to the
    disk, and replaces `path` in one step. If anything goes wrong the temporary file is removed, and what
    was at `path` is untouched. Only a killed process leaves its temporary file behind.

    Parameters
    ----------
    path : path-like
        A symbolic link is followed.
    mode : "wb" or "w"
        Bytes, or text in UTF-8 with the line ends as they are written.

    Yields
    ------
    file object

    Raises
    ------
    OutputError
        If the operating system refuses: folder missing or not writable, disk full or read-only. An
        `OSError` raised inside the block is taken for such a refusal.

    Examples
    --------
    >>> import tempfile
    >>> folder = tempfile.mkdtemp()
    >>> with atomic_write(f"{folder}/events.csv", "w") as file:
    ...     _ = file.write("start,end")
    >>> Path(folder, "events.csv").read_text()
    'start,end'
    """
    try:
        target = Path(os.path.realpath(path))
        _check(target)
        with _temporary(target) as temporary:
            with _open(temporary, mode) as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(target)
        _settle(target.parent)
    except OutputError:
        raise
    except OSError as error:
        reason = _REASONS.get(error.errno or 0, error.strerror or str(error))
        raise OutputError(f"Cannot write {os.fspath(path)!r}: {reason}.") from error


def _open(path: Path, mode: Literal["wb", "w"]) -> IO[Any]:
    return path.open("wb") if mode == "wb" else path.open("w", encoding="utf-8", newline="")


def _check(target: Path) -> None:
    """Refuse to replace what is not a plain file."""
    if target.is_dir():
        raise IsADirectoryError(errno.EISDIR, "is a directory")
    if target.exists() and not target.is_file():
        raise OSError(errno.EINVAL, "it is a device, not a file; choose another name")


@contextlib.contextmanager
def _temporary(target: Path) -> Iterator[Path]:
    """A new, empty file beside the target, with the target's permissions; gone at the end."""
    temporary = target.with_name(f".vaenb-{secrets.token_hex(8)}.tmp")
    os.close(os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666))
    try:
        if target.exists():
            temporary.chmod(target.stat().st_mode & 0o777)
        yield temporary
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)


def _settle(folder: Path) -> None:
    """Bring the new name to the disk, too, where the system can do that."""
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def free_path(path: str | os.PathLike[str]) -> Path:
    """The path itself, or where there is a file of that name the next free one: ``x.ipynb``, ``x-2.ipynb``.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp(), "x.txt")
    >>> path.touch()
    >>> free_path(path).name
    'x-2.txt'
    """
    wanted = Path(path)
    found, number = wanted, 1
    while os.path.lexists(found):
        number += 1
        found = wanted.with_name(f"{wanted.stem}-{number}{wanted.suffix}")
    return found
