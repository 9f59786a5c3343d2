"""The notebooks of the course: as they stand, and run from scratch."""

import re
import shutil

import nbformat
import pytest
from course import NOTEBOOKS, find, short
from course_check import check_notebook, check_page
from course_clock import one_core
from course_run import execute, hash_of, in_order
from course_text import unproduced

BOOKS = in_order(NOTEBOOKS)
PAGES = sorted([*NOTEBOOKS.glob("*.md"), *NOTEBOOKS.glob("exercises/*.md")])


@pytest.fixture(scope="module")
def copied(tmp_path_factory):
    """The notebooks in a folder that may be written to."""
    folder = tmp_path_factory.mktemp("course") / "notebooks"
    shutil.copytree(NOTEBOOKS, folder)
    return folder


@pytest.mark.parametrize("path", BOOKS, ids=short)
def test_as_it_stands(path):
    assert check_notebook(path) == []


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_a_page(path):
    assert check_page(path) == []


@pytest.mark.parametrize("path", BOOKS, ids=short)
def test_from_scratch_on_one_core(path, copied):
    before = hash_of_file(path)
    with one_core():
        outcome = execute(copied / path.relative_to(NOTEBOOKS))
    assert outcome.problems == []
    assert unproduced(outcome.book) == []
    assert hash_of(outcome.book) == before


def hash_of_file(path):
    return hash_of(nbformat.read(path, as_version=4))


def test_the_page_for_the_teacher_lists_all_with_their_minutes():
    page = (NOTEBOOKS / "README.md").read_text(encoding="utf-8")
    listed = dict(re.findall(r"\]\(([\w/]+\.ipynb)\) \| (\d+) \|", page))
    taken = {}
    for path in [*NOTEBOOKS.glob("*.ipynb"), *NOTEBOOKS.glob("exercises/*.ipynb")]:
        opening = nbformat.read(path, as_version=4).cells[0].source
        taken[path.relative_to(NOTEBOOKS).as_posix()] = re.search(r"Takes about (\d+) minutes", opening)[1]
    assert listed == taken


def test_a_name_finds_its_notebook():
    assert [short(path) for path in find(["00"])] == ["00_tour"]
    assert find([]) == BOOKS
    with pytest.raises(SystemExit, match=r"there is no notebook '99'"):
        find(["99"])
