"""The tool that keeps the notebooks true: what it finds, and what it lets pass."""

import base64

import course_run
import nbformat
import pytest
from course_check import check_headings, check_links, check_notebook, check_output, misspelt
from course_run import VIEW, execute, hash_of, tidy, write
from course_students import students_version, without_solution
from course_text import numbers_in, prose, unproduced, words_in
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

# ---------------------------------------------------------------------- numbers


def book_of(text, *printed, source="1"):
    outputs = [new_output("stream", name="stdout", text=each) for each in printed]
    return new_notebook(cells=[new_markdown_cell(text), new_code_cell(source, outputs=outputs)])


@pytest.mark.parametrize(
    ("text", "printed"),
    [
        ("There are 48 points.", "48"),
        ("There are 10,320 rows.", "rows: 10320"),
        ("There are 10\u202f320 rows.", "10,320 rows"),
        ("The loss is 0.68.", "loss 0.6789"),
        ("The loss is about 0.7.", "0.6789"),
        ("It flags 5 % of them.", "share 0.0502"),
        ("It flags 5% of them.", "5.02 %"),
        ("about 1,200 windows", "1187 windows"),
        ("It ends on 2 November 2014.", "2014-11-02"),
        ("See Wu & Keogh (2021), and step 3, in notebook 05.", ""),
        ("It is known (Tatbul et al., 2018). Takes about 15 minutes.", ""),
        ("## 7 things\n\n1. first\n2. second", ""),
        ("The code `x = 77` and $x^{88}$ and $$99$$ and [66](a.ipynb) and arXiv:1312.6114", ""),
        ("F1 and z2 and H100 are names.", ""),
        ("It has 1,000 points.", "[1000,2000]"),
    ],
)
def test_numbers_that_are_produced(text, printed):
    assert unproduced(book_of(text, printed)) == []


@pytest.mark.parametrize(
    ("text", "printed", "wrong"),
    [
        ("There are 49 points.", "48", ["49"]),
        ("The loss is 0.67.", "loss 0.6789", ["0.67"]),
        ("The loss is 0.680.", "loss 0.6789", ["0.680"]),
        ("exactly 1,200 windows", "1187 windows", ["1,200"]),
        ("about 1,200 windows", "1087 windows", ["about 1,200"]),
        ("It flags 6 % of them, or 7%.", "share 0.0502", ["6 %", "7%"]),
        ("The share is 5.", "share 0.0502", ["5"]),
        ("In <b>2017</b> it rained 33 days.", "", ["2017", "33"]),
    ],
)
def test_numbers_that_are_not_produced(text, printed, wrong):
    assert unproduced(book_of(text, printed)) == wrong


def test_numbers_of_the_code_and_of_its_pictures_count():
    svg = base64.b64encode(b"<svg><text>threshold 2.75</text></svg>").decode()
    html = f'<img alt="12 events" src="data:image/svg+xml;base64,{svg}"/><style>width: 333px</style>'
    book = book_of("64 points, 12 events, 2.75, and not 333.", source="window_size = 64")
    book.cells[1].outputs = [new_output("display_data", data={"text/html": html})]
    assert unproduced(book) == ["333"]


def test_the_slack_is_half_of_the_last_digit():
    slack = {written: half for written, _, half, _ in numbers_in("3, 3.0, about 300, 300 and about 0.30")}
    assert slack == {"3": 0.5, "3.0": 0.05, "about 300": 50.0, "300": 0.5, "about 0.30": 0.005}


# ---------------------------------------------------------------------- text


def test_prose_is_what_is_left_without_code_and_formulas():
    text = "## A `b` head\n\nwords $x$ [link `c`](d.ipynb) ![alt text](e.png)\n\n```\ncode\n```\n<b>in</b>"
    assert prose(text).split() == ["A", "head", "words", "link", "alt", "text", "in"]
    assert prose(text, links=False, headings=False).split() == ["words", "alt", "text", "in"]
    assert prose("It costs $5 and then $6.").split() == ["It", "costs", "$5", "and", "then", "$6."]


def test_words_that_are_spelt_wrongly():
    text = "The thershold of Anna's VAE isn't the colour of a dataset\u2019s timestamp, seperate or not."
    assert misspelt(words_in(text)) == ["seperate", "thershold"]


def test_headings():
    assert list(check_headings(["# One\n\n## Two", "### Three\n\n## Four"])) == []
    assert "level 3 after one of level 1" in next(check_headings(["# One", "### Three"]))
    assert "it has 2" in next(check_headings(["# One", "# Two"]))
    assert "it has 0" in next(check_headings(["words", "## Two"]))
    assert list(check_headings(["# One\n\n```\n# no heading\n```"])) == []


def test_links(tmp_path):
    (tmp_path / "a.md").write_text("# A\n\n## What's in it?\n")
    good = "[a](a.md) [b](a.md#whats-in-it) [c](https://example.org/x_(y)) <https://example.org> `[d](no.md)`"
    assert list(check_links(good, tmp_path)) == []
    bad = "[a](no.md) [b](a.md#no) [c](http://example.org) [d](ftp://x.org) <a href='x'>![e](no.png)"
    found = list(check_links(bad, tmp_path))
    assert [problem.split("'")[1] for problem in found] == [
        "no.md",
        "a.md#no",
        "http://example.org",
        "ftp://x.org",
        "no.png",
    ]


@pytest.mark.parametrize(
    ("output", "problem"),
    [
        (new_output("error", ename="ValueError", evalue="", traceback=[]), "ends with an error: ValueError"),
        (new_output("stream", name="stderr", text="UserWarning: no"), "on stderr"),
        (new_output("stream", name="stdout", text="<A at 0x7f3a12bc>"), "address in memory"),
        (new_output("execute_result", data={"text/plain": "<A at 0x7f3a12bc>"}), "address in memory"),
        (new_output("display_data", data={VIEW: {}, "text/plain": "x"}), "widget that leaves no still"),
        (
            new_output("display_data", data={"image/png": "", "text/plain": "<Figure size 1x1>"}),
            "without alternative",
        ),
        (new_output("display_data", data={"text/html": '<img src="x" alt=" ">'}), "without alternative"),
        (new_output("display_data", data={"text/html": "<svg><path/></svg>"}), "without a title"),
    ],
)
def test_outputs_that_a_reader_must_not_meet(output, problem):
    assert [problem in each for each in check_output(output)] == [True]


@pytest.mark.parametrize(
    "output",
    [
        new_output("stream", name="stdout", text="48"),
        new_output("execute_result", data={"text/plain": "<A at 0x7f3a12bc>", "text/html": "<b>x</b>"}),
        new_output("display_data", data={"image/png": "", "text/plain": "A day with a peak"}),
        new_output("display_data", data={"text/html": '<img alt="A day">'}),
        new_output("display_data", data={"text/html": "<svg><title>A day</title></svg>"}),
    ],
)
def test_outputs_that_pass(output):
    assert list(check_output(output)) == []


# ---------------------------------------------------------------------- a whole notebook

OPENING = "# A\n\nAfter this you can see. You need nothing. Takes about 5 minutes."
ASKED = "\n\n<details><summary>Answer</summary>\n\nYes.\n\n</details>"
ENDING = "## What you learnt\n\nThis.\n\n## Questions" + 3 * ASKED


def good(path):
    book = new_notebook(cells=[new_markdown_cell(OPENING), new_code_cell("1 + 1"), new_markdown_cell(ENDING)])
    book.cells[1].execution_count = 1
    write(tidy(book), path)
    return nbformat.read(path, as_version=4)


def damage(path, change):
    book = good(path)
    change(book)
    path.write_text(nbformat.writes(book))
    return check_notebook(path)


def test_a_good_notebook_passes(tmp_path):
    assert damage(tmp_path / "01_a.ipynb", lambda book: None) == []


DAMAGES = {
    "is stale": lambda book: book.cells[1].update(source="1 + 2"),
    "was not run in order": lambda book: book.cells[1].update(execution_count=2),
    "does not open with 'You": lambda book: book.cells[0].update(
        source=OPENING.replace("You need", "It takes")
    ),
    "does not open with 'Takes": lambda book: book.cells[0].update(source=OPENING.replace(" 5", "")),
    "does not end with": lambda book: book.cells[2].update(source="The end."),
    "ends with 2 questions": lambda book: book.cells[2].update(source=ENDING.removesuffix(ASKED)),
    "numbers that no cell has or prints: 17": lambda book: book.cells[2].update(source="It is 17. " + ENDING),
    "nor in words.txt: thershold": lambda book: book.cells[2].update(source="A thershold. " + ENDING),
    "leads to no file": lambda book: book.cells[2].update(source="[a](no.ipynb) " + ENDING),
    "has no alternative text": lambda book: book.cells[2].update(
        source="![](https://example.org/a.png) " + ENDING
    ),
}


@pytest.mark.parametrize("problem", DAMAGES)
def test_each_damage_is_found(tmp_path, problem):
    found = damage(tmp_path / "01_a.ipynb", DAMAGES[problem])
    assert len(found) == 1
    assert problem in found[0]


def test_long_cells_are_found(tmp_path):
    book = good(tmp_path / "01_a.ipynb")
    book.cells[1].source = "\n".join(["1"] * 9)
    book.metadata.vaenb = {"sources": hash_of(book)}
    write(book, tmp_path / "01_a.ipynb")
    assert check_notebook(tmp_path / "01_a.ipynb") == [
        "has code cells of 9 lines in the median; 8 are the most"
    ]


# ---------------------------------------------------------------------- running


def run(folder, *sources):
    path = folder / "x.ipynb"
    nbformat.write(new_notebook(cells=[new_code_cell(source) for source in sources]), path)
    before = path.read_bytes()
    outcome = execute(path)
    assert path.read_bytes() == before
    return outcome


def test_a_run_counts_and_keeps_what_was_said(tmp_path):
    outcome = run(tmp_path, "import os; x = os.getcwd()", "x")
    assert outcome.problems == []
    assert len(outcome.cells) == 2
    first, second = outcome.book.cells
    assert (first.execution_count, second.execution_count) == (1, 2)
    assert second.outputs[0].data["text/plain"] == repr(str(tmp_path))
    assert outcome.book.metadata.vaenb.sources == hash_of(outcome.book)
    assert "execution" not in first.metadata


SLOW = "import time; time.sleep(0.3)"
THREAD = "import threading; t = threading.Timer(0.2, lambda: 1 / 0); t.start()"


def test_what_a_reader_must_not_meet_is_told(tmp_path, monkeypatch):
    monkeypatch.setattr(course_run, "LONGEST_CELL", 0.25)
    said = "import sys; print('hm', file=sys.stderr)"
    outcome = run(
        tmp_path, "import warnings; warnings.warn('beware')", said, SLOW, THREAD, "t.join()", "1 / 0"
    )
    told = "\n".join(outcome.problems)
    assert "cell [1] says on stderr" in told
    assert "UserWarning: beware" in told
    assert "cell [2] says on stderr: hm" in told
    assert "cell [3] took 0 s" in told
    assert told.count("ZeroDivisionError") >= 2
    assert "\x1b" not in told


PANEL = """
import sys
sys.path.insert(0, {tests!r})
from small_panel import SmallPanel
panel = SmallPanel()
panel
"""


def test_a_panel_leaves_the_still_of_its_last_state_and_no_widget(tmp_path):
    tests = str(course_run.Path(__file__).parents[1] / "panels")
    outcome = run(tmp_path, PANEL.format(tests=tests), "panel.n.value = 6")
    assert outcome.problems == []
    (output,) = outcome.book.cells[0].outputs
    assert set(output.data) == {"text/html", "text/plain"}
    assert output.data["text/plain"] == "Small. n < 7."
    assert 'class="vaenb-still vaenb-still-saved"' in output.data["text/html"]
    assert "widgets" not in outcome.book.metadata
    assert list(check_output(output)) == []


# ---------------------------------------------------------------------- the student's version

SOLVED = """threshold = ...
### BEGIN SOLUTION
threshold = 3
if threshold:
    threshold = 4
### END SOLUTION
print(threshold)"""


def test_a_solution_becomes_a_stub():
    assert without_solution(SOLVED) == "threshold = ...\n# your code here\nprint(threshold)"
    inside = "def f(x):\n    ### BEGIN SOLUTION\n    return x\n    ### END SOLUTION"
    assert without_solution(inside) == "def f(x):\n    # your code here"
    hidden = "check(1)\n### BEGIN HIDDEN TESTS\nassert 1\n### END HIDDEN TESTS"
    assert without_solution(hidden) == "check(1)"


@pytest.mark.parametrize("marker", ["### BEGIN SOLUTION", "### END SOLUTION", "### BEGIN HIDDEN TESTS"])
def test_a_marker_without_a_partner_is_refused(marker):
    with pytest.raises(ValueError, match="has no partner"):
        without_solution(f"x = 1\n{marker}\ny = 2")


def test_the_students_version_has_no_outputs_and_keeps_nbgrader(tmp_path):
    cell = new_code_cell(
        SOLVED, metadata={"nbgrader": {"solution": True, "grade_id": "a"}}, execution_count=3
    )
    cell.outputs = [new_output("stream", name="stdout", text="4")]
    book = new_notebook(cells=[new_markdown_cell("# A"), cell], metadata={"vaenb": {"sources": "x"}})
    made = students_version(book)
    assert made.cells[1].outputs == []
    assert made.cells[1].execution_count is None
    assert made.cells[1].metadata == cell.metadata
    assert made.cells[1].id == cell.id
    assert "vaenb" not in made.metadata
    assert "SOLUTION" not in nbformat.writes(made)
    assert cell.outputs
    cell.metadata.nbgrader.solution = False
    with pytest.raises(ValueError, match="do not agree"):
        students_version(book)
