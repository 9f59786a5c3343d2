"""Every solution passes, and every unsolved exercise fails with its hint."""

import re
import shutil

import pytest
from course import NOTEBOOKS, short
from course_run import execute, in_order

from vaenb.exercises import list_exercises
from vaenb.exercises.checking import EXERCISES

SOLUTIONS = [path for path in in_order(NOTEBOOKS) if path.parent.name == "solutions"]


def verdicts(book):
    """What each check says, by exercise: the mark and the text."""
    found = {}
    for cell in book.cells:
        if cell.cell_type == "code" and re.search(r"^check\(", cell.source, re.MULTILINE):
            (output,) = cell.outputs
            mark, name, text = re.match(
                r"(\S) (\d\d\.\d): (.*)", output.data["text/plain"], re.DOTALL
            ).groups()
            found[name] = (mark, text)
    return found


def asked_in(path):
    return [name for name in list_exercises() if name[:2] == path.name[:2]]


def test_every_exercise_has_its_notebook():
    assert [path.name[:2] for path in SOLUTIONS] == ["01", "02", "03", "04", "05", "06"]
    assert [name for path in SOLUTIONS for name in asked_in(path)] == list_exercises()


@pytest.mark.parametrize("path", SOLUTIONS, ids=short)
def test_every_solution_passes(path, tmp_path):
    book = run_copy(path, tmp_path)
    assert [name for name, (mark, _) in verdicts(book).items() if mark == "\u2713"] == asked_in(path)


@pytest.mark.parametrize("path", SOLUTIONS, ids=short)
def test_every_unsolved_exercise_fails_with_its_hint(path, tmp_path):
    found = verdicts(run_copy(path.parents[1] / path.name, tmp_path))
    assert list(found) == asked_in(path)
    for name, (mark, text) in found.items():
        assert mark == "\u2717"
        wants = EXERCISES[name].wants.replace("`", "")
        nothing = (f"There is no answer yet: put {wants} in place of the dots.", NO_RETURN)
        assert text in nothing or re.search(OF_A_PANEL[name], text)


NO_RETURN = "The function returns nothing: does it end with return?"
OF_A_PANEL = {
    "05.2": r"^At 1\.57 recall is 1, with 1\.29 false alarms a day\. Too many alarms are false",
    "06.3": r"0 missed x 50 \+ 27 false = 27\. Nothing is missed",
}


def run_copy(path, folder):
    """The notebook after a run in another folder, in which nothing went wrong."""
    shutil.copy(path, folder)
    outcome = execute(folder / path.name)
    assert outcome.problems == []
    return outcome.book
