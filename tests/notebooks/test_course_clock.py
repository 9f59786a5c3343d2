"""Time on a core that others use as well."""

import os
import subprocess
import sys
import time

from course_clock import Clock, cpu_seconds, one_core, others, tree

SPIN = "import time; end = time.process_time() + {}\nwhile time.process_time() < end: pass"


def spin(seconds):
    return subprocess.Popen([sys.executable, "-c", SPIN.format(seconds)])


def test_one_core_is_one_core_and_ends():
    before = os.sched_getaffinity(0)
    with one_core():
        assert len(os.sched_getaffinity(0)) == 1
        child = "import os; print(len(os.sched_getaffinity(0)))"
        assert subprocess.run([sys.executable, "-c", child], capture_output=True, check=True).stdout == b"1\n"
    assert os.sched_getaffinity(0) == before


def test_what_others_have_of_the_core_does_not_count():
    with one_core():
        mine, theirs = spin(1.0), spin(1.0)
        clock, began = Clock(mine.pid), time.monotonic()
        time.sleep(0.7)
        counted, passed = clock.seconds(), time.monotonic() - began
        mine.wait()
        theirs.wait()
    assert 0.05 < counted < 0.8 * passed


def test_waiting_counts_where_the_core_is_free_enough():
    with one_core():
        sleeper = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(2)"])
        clock, began, had = Clock(sleeper.pid), time.monotonic(), others(sleeper.pid)
        time.sleep(0.5)
        counted, passed, taken = clock.seconds(), time.monotonic() - began, others(sleeper.pid) - had
        sleeper.kill()
        sleeper.wait()
    assert abs(counted - (passed - max(0.0, taken))) < 0.1


def test_on_several_cores_the_clock_is_a_clock():
    if len(os.sched_getaffinity(0)) == 1:
        return
    clock, began = Clock(os.getpid()), time.monotonic()
    time.sleep(0.2)
    assert abs(clock.seconds() - (time.monotonic() - began)) < 0.1


def test_children_belong_to_a_process():
    child = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'import time; time.sleep(5)'])"
    parent = subprocess.Popen([sys.executable, "-c", child])
    until = time.monotonic() + 20
    while len(tree(parent.pid)) < 2 and time.monotonic() < until:
        time.sleep(0.05)
    family = tree(parent.pid)
    assert family[0] == parent.pid
    assert len(family) == 2
    for pid in reversed(family):
        os.kill(pid, 9)
    parent.wait()
    assert cpu_seconds(parent.pid) == 0.0
