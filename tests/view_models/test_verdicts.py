"""The file of verdicts: whole or old, never overwritten where it is somebody else's, shared without loss."""

import csv
import os
import signal
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from vaenb.errors import InputError, OutputError
from vaenb.view_models import verdict_book
from vaenb.view_models.verdict_book import VerdictBook
from vaenb.view_models.verdicts import COLUMNS, Verdict, as_text, read_verdicts, write_verdicts


def at(minute, *, minutes=10, verdict="anomaly", **more):
    start = np.datetime64("2024-03-01T00:00:00", "ns") + np.timedelta64(minute, "m")
    end = start + np.timedelta64(minutes, "m")
    return Verdict(start=start, end=end, score=3.5, severity=0.25, verdict=verdict, **more)


def numbered(first, last, verdict="normal"):
    return Verdict(start=float(first), end=float(last), score=1.0, severity=float("nan"), verdict=verdict)


def told(book):
    return {verdict.key[0][11:16]: verdict.verdict for verdict in book}


# ---------------------------------------------------------------------- the file


def test_the_file_reads_like_a_table_a_person_wrote(tmp_path):
    path = tmp_path / "taxi_verdicts.csv"
    write_verdicts(path, [at(90, note="Fest, überall", decided_at="2024-04-01 10:00:00+02:00")])
    assert path.read_text(encoding="utf-8") == (
        "start,end,score,severity,verdict,note,decided_at\n"
        '2024-03-01 01:30:00,2024-03-01 01:40:00,3.5,0.25,anomaly,"Fest, überall",2024-04-01 10:00:00+02:00\n'
    )


@pytest.mark.parametrize(
    "note", ["", "plain", 'he said "no"', "two\nlines", "a,b;c\td", "=1+1", "\u00fc \u65e5\u672c \U0001f600"]
)
def test_what_is_written_is_read_back(tmp_path, note):
    path = tmp_path / "v.csv"
    before = [at(0, note=note), at(60, verdict="unsure"), at(200, verdict="", note="n")]
    write_verdicts(path, before)
    assert read_verdicts(path, has_clock=True) == before


def test_numbers_are_read_back_where_there_is_no_clock(tmp_path):
    path = tmp_path / "v.csv"
    write_verdicts(path, [numbered(3, 9), numbered(1e15, 1e15 + 1)])
    found = read_verdicts(path, has_clock=False)
    assert [(v.start, v.end) for v in found] == [(3.0, 9.0), (1e15, 1e15 + 1)]
    assert np.isnan(found[0].severity)


@pytest.mark.parametrize(
    ("moment", "text"),
    [
        (np.datetime64("2024-01-01"), "2024-01-01 00:00:00"),
        (np.datetime64("2024-01-01T00:00:00.250"), "2024-01-01 00:00:00.25"),
        (np.datetime64("2024-01-01T00:00:00.000000001"), "2024-01-01 00:00:00.000000001"),
        (7.0, "7"),
        (0.1, "0.1"),
    ],
)
def test_moments_are_written_without_digits_that_say_nothing(moment, text):
    assert as_text(moment) == text


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_a_file_that_a_spreadsheet_saved_is_read(tmp_path, separator, encoding):
    path = tmp_path / "v.csv"
    with path.open("w", encoding=encoding, newline="") as file:
        table = csv.writer(file, delimiter=separator)
        table.writerow(COLUMNS)
        table.writerow(["2024-03-01 00:00", "2024-03-01 00:10", "3.5", "0.25", "anomaly", "ä", ""])
    assert read_verdicts(path, has_clock=True) == [at(0, note="ä")]


def test_columns_that_somebody_added_stay(tmp_path):
    path = tmp_path / "v.csv"
    path.write_text(
        ",".join([*COLUMNS, "who"]) + "\n2024-03-01,2024-03-01 00:10,3.5,0.25,normal,,,Ada\n",
        encoding="utf-8",
    )
    book = VerdictBook(path, has_clock=True)
    book.put(at(60))
    book.put(at(0, verdict="anomaly"))
    rows = list(csv.DictReader(path.read_text(encoding="utf-8").splitlines()))
    assert [(row["verdict"], row["who"]) for row in rows] == [("anomaly", "Ada"), ("anomaly", "")]


HEAD = ",".join(COLUMNS) + "\n"
BROKEN = {
    "no header of ours": ("time,value\n2024-01-01,3\n", "another kind of file: it has no column 'start'"),
    "no text": (b"\xff\xfe\x00PAR1\x80", "not a text file in UTF-8"),
    "a line cut off": (HEAD + "2024-03-01,2024-03-01 00:1", "damaged in line 2: it has more or fewer fields"),
    "a line too long": (HEAD + "2024-03-01,2024-03-02,1,1,normal,,,x\n", "more or fewer fields"),
    "another verdict": (
        HEAD + "2024-03-01,2024-03-02,1,1,maybe,,\n",
        "the verdict is 'maybe'; expected anomaly",
    ),
    "no date": (HEAD + "yesterday,2024-03-02,1,1,normal,,\n", "expected start and end as dates"),
    "numbers for dates": (HEAD + "12,15,1,1,normal,,\n", "expected start and end as dates"),
    "a zone": (HEAD + "2024-03-01 00:00+01:00,2024-03-02,1,1,normal,,\n", "as dates"),
    "no such day": (HEAD + "2024-02-31,2024-03-02,1,1,normal,,\n", "as dates"),
    "no number": (HEAD + "2024-03-01,2024-03-02,high,1,normal,,\n", "score and severity as numbers"),
    "backwards": (HEAD + "2024-03-02,2024-03-01,1,1,normal,,\n", "ends before it starts"),
    "an open quote": (HEAD + '2024-03-01,2024-03-02,1,1,normal,"open,\n', "damaged in line"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_what_is_no_file_of_verdicts_is_refused_in_words_and_left_alone(tmp_path, name):
    content, words = BROKEN[name]
    path = tmp_path / "v.csv"
    content = content if isinstance(content, bytes) else content.encode()
    path.write_bytes(content)
    with pytest.raises(InputError, match=words):
        read_verdicts(path, has_clock=True)
    book = VerdictBook(path, has_clock=True)
    book.put(at(0))
    assert path.read_bytes() == content
    assert book.path == tmp_path / "v_2.csv"
    assert words in book.notice
    assert "left as it is, and the verdicts go to v_2.csv" in book.notice
    assert told(VerdictBook(tmp_path / "v_2.csv", has_clock=True)) == {"00:00": "anomaly"}
    assert told(VerdictBook(path, has_clock=True)) == {"00:00": "anomaly"}, "the next panel finds them too"


def test_dates_are_refused_where_the_series_has_no_clock(tmp_path):
    path = tmp_path / "v.csv"
    write_verdicts(path, [at(0)])
    with pytest.raises(InputError, match="expected start and end as numbers"):
        read_verdicts(path, has_clock=False)
    path.write_text(HEAD + "nan,3,1,1,normal,,\n", encoding="utf-8")
    with pytest.raises(InputError, match="as numbers"):
        read_verdicts(path, has_clock=False)


def test_an_empty_file_is_an_empty_book(tmp_path):
    path = tmp_path / "v.csv"
    path.write_text("\n", encoding="utf-8")
    book = VerdictBook(path, has_clock=True)
    assert (len(book), book.notice, book.path) == (0, "", path)


def test_a_folder_of_that_name_is_no_file(tmp_path):
    (tmp_path / "v.csv").mkdir()
    book = VerdictBook(tmp_path / "v.csv", has_clock=True)
    assert book.path == tmp_path / "v_2.csv"
    assert "cannot be read" in book.notice


def test_where_all_names_are_taken_verdicts_stay_in_memory(tmp_path, monkeypatch):
    monkeypatch.setattr(verdict_book, "_MOST_NAMES", 3)
    for name in ("v.csv", "v_2.csv"):
        (tmp_path / name).write_text("x\n", encoding="utf-8")
    book = VerdictBook(tmp_path / "v.csv", has_clock=True)
    book.put(at(0))
    assert told(book) == {"00:00": "anomaly"}
    assert "stay in memory" in book.notice
    assert {p.name for p in tmp_path.iterdir()} == {"v.csv", "v_2.csv"}


# ---------------------------------------------------------------------- the book


def test_without_a_file_verdicts_stay_in_memory(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    book = VerdictBook(None, has_clock=True)
    book.put(at(60))
    book.put(at(0))
    assert list(told(book)) == ["00:00", "01:00"], "in the order of time"
    assert not list(tmp_path.iterdir())
    assert not book.refresh()


def test_each_verdict_is_on_the_disk_at_once_and_read_by_the_next_book(tmp_path):
    path = tmp_path / "v.csv"
    book = VerdictBook(path, has_clock=True)
    assert not path.exists(), "opening a panel writes nothing"
    for minute in (60, 0, 30):
        book.put(at(minute))
        assert told(VerdictBook(path, has_clock=True)) == told(book)
    book.remove(at(30))
    book.put(at(0, minutes=20, verdict="normal"), instead_of=at(0))
    assert told(VerdictBook(path, has_clock=True)) == {"00:00": "normal", "01:00": "anomaly"}
    assert [p.name for p in tmp_path.iterdir()] == ["v.csv"], "nothing else is left behind"


def test_two_books_on_one_file_keep_each_others_verdicts(tmp_path):
    path = tmp_path / "v.csv"
    one, two = VerdictBook(path, has_clock=True), VerdictBook(path, has_clock=True)
    one.put(at(0))
    two.put(at(60, verdict="normal"))
    one.put(at(120, verdict="unsure"))
    expected = {"00:00": "anomaly", "01:00": "normal", "02:00": "unsure"}
    assert told(VerdictBook(path, has_clock=True)) == expected == told(one)
    assert two.refresh()
    assert told(two) == expected
    assert not two.refresh(), "nothing new"
    two.remove(at(0))
    one.put(at(180))
    assert "00:00" not in told(one), "what the other took back does not come back"


def test_the_later_verdict_on_one_stretch_counts(tmp_path):
    path = tmp_path / "v.csv"
    one, two = VerdictBook(path, has_clock=True), VerdictBook(path, has_clock=True)
    one.put(at(0))
    two.put(at(0, verdict="normal"))
    one.put(at(60))
    assert told(one) == {"00:00": "normal", "01:00": "anomaly"}


def test_many_threads_lose_nothing(tmp_path):
    path = tmp_path / "v.csv"
    books = [VerdictBook(path, has_clock=True) for _ in range(4)]

    def write(k):
        for i in range(6):
            books[k].put(at(10 * (6 * k + i), minutes=1))

    threads = [threading.Thread(target=write, args=(k,)) for k in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(VerdictBook(path, has_clock=True)) == 24


WRITER = """
import sys
import numpy as np
from pathlib import Path
from vaenb.view_models.verdict_book import VerdictBook
from vaenb.view_models.verdicts import Verdict
book, first, many = VerdictBook(Path(sys.argv[1]), has_clock=False), int(sys.argv[2]), int(sys.argv[3])
print("ready", flush=True)
for i in range(first, first + many):
    ends = {"start": float(i), "end": float(i)}
    book.put(Verdict(**ends, score=1.0, severity=1.0, verdict="normal", note=2000 * "n"))
    print(i, flush=True)
"""


def start_writer(path, first, many):
    command = [sys.executable, "-c", WRITER, str(path), str(first), str(many)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def test_two_processes_lose_nothing(tmp_path):
    path = tmp_path / "v.csv"
    writers = [start_writer(path, first, 12) for first in (0, 100)]
    for writer in writers:
        writer.communicate(timeout=120)
        assert writer.returncode == 0
    found = read_verdicts(path, has_clock=False)
    assert [v.start for v in found] == [*map(float, range(12)), *map(float, range(100, 112))]


@pytest.mark.parametrize("kill_after", [1, 4, 9])
def test_a_process_killed_while_it_writes_leaves_a_whole_file(tmp_path, kill_after):
    path = tmp_path / "v.csv"
    writer = start_writer(path, 0, 100_000)
    said = [writer.stdout.readline().strip() for _ in range(kill_after + 1)]
    time.sleep(0.003 * kill_after)  # so that the blow falls somewhere inside a later writing
    os.kill(writer.pid, signal.SIGKILL)
    writer.communicate()
    found = [v.start for v in read_verdicts(path, has_clock=False)]
    assert found == [float(i) for i in range(len(found))]
    assert len(found) >= int(said[-1]) + 1, "what was said to be saved is there"
    book = VerdictBook(path, has_clock=False)
    book.put(numbered(-5, -4))
    assert (book.notice, len(book)) == ("", len(found) + 1)


def refuse(*_):
    raise OutputError("Cannot write 'v.csv': the disk is read-only; choose another folder.")


def test_a_refused_write_is_said_once_and_made_up_for_later(tmp_path, monkeypatch):
    path = tmp_path / "v.csv"
    book = VerdictBook(path, has_clock=True)
    with monkeypatch.context() as patched:
        patched.setattr(verdict_book, "write_verdicts", refuse)
        book.put(at(0))
        book.put(at(60))
    assert told(book) == {"00:00": "anomaly", "01:00": "anomaly"}
    assert "the disk is read-only" in book.notice
    assert "stay in memory, in panel.verdicts" in book.notice
    assert not path.exists()
    VerdictBook(path, has_clock=True).put(at(120))
    book.put(at(180))
    assert book.notice == ""
    assert list(told(VerdictBook(path, has_clock=True))) == ["00:00", "01:00", "02:00", "03:00"]


def test_a_folder_that_is_not_there_is_said(tmp_path):
    book = VerdictBook(tmp_path / "nowhere" / "v.csv", has_clock=True)
    book.put(at(0))
    assert "its folder does not exist" in book.notice
    assert len(book) == 1


def test_a_file_that_was_deleted_is_written_anew_with_all_that_is_known(tmp_path):
    path = tmp_path / "v.csv"
    book = VerdictBook(path, has_clock=True)
    book.put(at(0))
    path.unlink()
    assert not book.refresh()
    book.put(at(60))
    assert len(VerdictBook(path, has_clock=True)) == 2


def test_a_file_that_was_replaced_by_something_else_is_left_and_nothing_is_lost(tmp_path):
    path = tmp_path / "v.csv"
    book = VerdictBook(path, has_clock=True)
    book.put(at(0))
    path.write_text("my notes", encoding="utf-8")
    assert not book.refresh()
    book.put(at(60))
    assert path.read_text(encoding="utf-8") == "my notes"
    assert list(told(VerdictBook(tmp_path / "v_2.csv", has_clock=True))) == ["00:00", "01:00"]
    assert "left as it is" in book.notice


def test_somebody_elses_lock_is_waited_for_but_not_for_ever(tmp_path, monkeypatch):
    fcntl = pytest.importorskip("fcntl")
    monkeypatch.setattr(verdict_book, "_PATIENCE", 0.05)
    handle = os.open(tmp_path, os.O_RDONLY)
    fcntl.flock(handle, fcntl.LOCK_EX)
    book = VerdictBook(tmp_path / "v.csv", has_clock=True)
    book.put(at(0))
    os.close(handle)
    assert len(VerdictBook(tmp_path / "v.csv", has_clock=True)) == 1


def test_an_interrupted_write_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "v.csv"
    book = VerdictBook(path, has_clock=True)
    book.put(at(0))
    before = path.read_bytes()

    def interrupt(self, *_):
        raise KeyboardInterrupt

    monkeypatch.setattr(Verdict, "row", interrupt)
    with pytest.raises(KeyboardInterrupt):
        book.put(at(60))
    assert path.read_bytes() == before
    assert [p.name for p in Path(tmp_path).iterdir()] == ["v.csv"]


def test_a_verdict_keeps_its_key_when_the_rest_changes():
    assert replace(at(0), verdict="normal", note="x").key == at(0).key != at(1).key
