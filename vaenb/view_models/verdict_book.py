"""The verdicts of a panel and the file that it shares with others: nobody's verdict is lost."""

from __future__ import annotations

import contextlib
import os
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from vaenb.errors import InputError, OutputError
from vaenb.view_models.verdicts import read_verdicts, write_verdicts

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from vaenb.view_models.verdicts import Verdict

_MOST_NAMES: Final = 100
_PATIENCE: Final = 2.0  # seconds to wait for somebody else's writing
_one_writer = threading.Lock()


class VerdictBook:
    """The verdicts of one panel and the file that it shares with others.

    Parameters
    ----------
    path : Path or None
        None keeps the verdicts in memory.
    has_clock : bool

    Attributes
    ----------
    path : Path or None
        Where the verdicts are; another than asked for where that held something else.
    notice : str
        What a person must know about the file, a sentence; "" where all is well.
    """

    def __init__(self, path: Path | None, *, has_clock: bool) -> None:
        self._has_clock = has_clock
        self._known: dict[tuple[str, str], Verdict] = {}
        self._changes: list[tuple[tuple[str, str], Verdict | None]] = []
        self._seen: tuple[int, int] | None = None
        self._moved, self._refused = "", ""
        self.path = None if path is None else Path(path)
        if self.path is not None:
            self._known = self._read_or_move(self.path)

    def __len__(self) -> int:
        return len(self._known)

    def __iter__(self) -> Iterator[Verdict]:
        """In the order of time."""
        return iter(sorted(self._known.values(), key=lambda verdict: (verdict.start, verdict.end)))

    @property
    def notice(self) -> str:
        """What a person must know about the file."""
        return " ".join(text for text in (self._moved, self._refused) if text)

    def put(self, verdict: Verdict, *, instead_of: Verdict | None = None) -> None:
        """Add a verdict, or replace one; and write the file."""
        if instead_of is not None and instead_of.key != verdict.key:
            self._change(instead_of.key, None)
        self._change(verdict.key, verdict)
        self.save()

    def remove(self, verdict: Verdict) -> None:
        """Take a verdict back; and write the file."""
        self._change(verdict.key, None)
        self.save()

    def _change(self, key: tuple[str, str], verdict: Verdict | None) -> None:
        self._changes.append((key, verdict))
        _apply(self._known, self._changes[-1:])

    def refresh(self) -> bool:
        """Read what others wrote meanwhile; whether there was anything."""
        if self.path is None or self._stamp() in {self._seen, None}:
            return False
        with contextlib.suppress(InputError):
            self._known = self._read(self.path)
            _apply(self._known, self._changes)
            return True
        return False

    def save(self) -> None:
        """Read what others wrote, add what changed here, and write all of it; a refusal becomes a notice."""
        if self.path is None:
            self._changes.clear()
            return
        with _alone(self.path.parent):
            if self.path.exists():
                # What else the panel knows goes along only where it must start on a file of another name.
                before, known = self.path, self._known
                found = self._read_or_move(self.path)
                self._known = found if self.path == before else {**found, **known}
                _apply(self._known, self._changes)
            self._write(self.path)

    def _write(self, path: Path | None) -> None:
        if path is None:
            return
        try:
            write_verdicts(path, list(self))
        except OutputError as error:
            self._refused = f"{error} The verdicts stay in memory, in panel.verdicts, until the kernel ends."
            return
        self._refused = ""
        self._changes.clear()
        self._seen = self._stamp()

    def _read_or_move(self, path: Path) -> dict[tuple[str, str], Verdict]:
        """What is in the file; where that is something else, another name is taken and said."""
        reason = ""
        for number in range(1, _MOST_NAMES):
            chosen = path if number == 1 else path.with_name(f"{path.stem}_{number}{path.suffix}")
            try:
                found = self._read(chosen)
            except InputError as error:
                reason = reason or str(error)
                continue
            if reason:
                self._moved = f"{reason}: it is left as it is, and the verdicts go to {chosen.name}."
            self.path = chosen
            return found
        self.path, self._moved = None, f"{reason}, and so are all names like it: verdicts stay in memory."
        return {}

    def _read(self, path: Path) -> dict[tuple[str, str], Verdict]:
        if not path.exists():
            return {}
        stamp = _stamp_of(path)
        found = {verdict.key: verdict for verdict in read_verdicts(path, has_clock=self._has_clock)}
        self._seen = stamp
        return found

    def _stamp(self) -> tuple[int, int] | None:
        return None if self.path is None else _stamp_of(self.path)


def _stamp_of(path: Path) -> tuple[int, int] | None:
    """What changes when a file is replaced."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_ino


def _apply(
    known: dict[tuple[str, str], Verdict], changes: Sequence[tuple[tuple[str, str], Verdict | None]]
) -> None:
    for key, verdict in changes:
        if verdict is None:
            known.pop(key, None)
        else:
            more = known[key].more if key in known and not verdict.more else verdict.more
            known[key] = replace(verdict, more=more)


@contextlib.contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """No other panel, of this kernel or of another, writes in the folder meanwhile."""
    with _one_writer:
        handle = _lock(folder)
        try:
            yield
        finally:
            if handle is not None:
                os.close(handle)


def _lock(folder: Path) -> int | None:
    """Lock a folder itself, which leaves no file behind; None where the system cannot, or takes too long."""
    if sys.platform == "win32":
        return None
    import fcntl

    handle = None
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        until = time.monotonic() + _PATIENCE
        while time.monotonic() < until:
            with contextlib.suppress(BlockingIOError):
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return handle
            time.sleep(0.01)
    if handle is not None:
        os.close(handle)
    return None
