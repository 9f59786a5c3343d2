"""How long something takes on one core that others use, too: what they had of the core does not count."""

import contextlib
import os
import time
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK") if hasattr(os, "sysconf") else 100
_BUSY = (1, 2, 3, 6, 7, 8)  # of a line in /proc/stat: user, nice, system; irq, softirq, steal


@contextlib.contextmanager
def one_core():
    """What starts in this block runs on one core, as on Binder."""
    cores = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(cores)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, cores)


class Clock:
    """Counts seconds from when it was made; on a single core, without those in which others had it.

    Parameters
    ----------
    pid : int
        Whose time it is: of this process and its descendants.
    """

    def __init__(self, pid):
        self.pid = pid
        self._began, self._had, self._used = time.monotonic(), others(pid), used(pid)

    def seconds(self):
        """The seconds until now; never less than what the process has used."""
        had = max(0.0, others(self.pid) - self._had)
        return max(time.monotonic() - self._began - had, used(self.pid) - self._used)


def others(pid):
    """Seconds that other processes have had of the one core that this one runs on; 0 with several cores."""
    try:
        cores = os.sched_getaffinity(0)
        if len(cores) != 1:
            return 0.0
        lines = Path("/proc/stat").read_text().splitlines()
    except (AttributeError, OSError):
        return 0.0
    fields = next(line.split() for line in lines if line.startswith(f"cpu{min(cores)} "))
    busy = sum(int(fields[i]) for i in _BUSY) / TICKS
    return busy - used(pid)


def used(pid):
    """Seconds of a core that a process and its descendants have used."""
    return sum(map(cpu_seconds, tree(pid)))


def tree(root):
    """A process and all its descendants."""
    found = [root]
    for pid in found:
        for path in Path(f"/proc/{pid}/task").glob("*/children"):
            with contextlib.suppress(OSError):
                found += [int(child) for child in path.read_text().split()]
    return found


def cpu_seconds(pid):
    """User and system time of a process, and of its children that have ended."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return sum(map(int, fields[11:15])) / TICKS
