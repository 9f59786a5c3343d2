"""What must hold for the notebooks as they stand in the repository, without running them."""

import html
import itertools
import re
import statistics
from functools import cache
from pathlib import Path
from urllib.parse import unquote, urlsplit

import nbformat
from course_run import VIEW, hash_of
from course_students import students_version, without_solution
from course_text import CODE, FENCED, HEADING, IMAGE, LINK, unproduced, words_in

MEDIAN_LINES = 8
MOST_BYTES = 1_500_000  # what GitHub still shows
WORDS = Path(__file__).with_name("words.txt")
OPENING = ("After this you can", "You need", re.compile(r"Takes about \w+ minutes?"))
ADDRESS = re.compile(r"0x[0-9a-f]{6,}")


def check_notebook(path):
    """Everything about one notebook; a sentence for each thing that is wrong."""
    book = nbformat.read(path, as_version=4)
    nbformat.validate(book)
    found = [*check_text(path, book), *check_outputs(path, book)]
    if path.parent.name == "solutions":
        found += check_exercises(path, book)
    else:
        found += check_shape(path, book)
    return found


def check_text(path, book):
    """Spelling, links, alternative text and headings of the markdown."""
    texts = [cell.source for cell in book.cells if cell.cell_type == "markdown"]
    yield from check_headings(texts)
    for text in texts:
        yield from check_markdown(text, path.parent)


def check_markdown(text, folder):
    """Spelling, links and alternative text of one piece of markdown."""
    unknown = misspelt(words_in(text))
    if unknown:
        yield f"not in the dictionary nor in {WORDS.name}: {', '.join(unknown)}"
    yield from check_links(text, folder)
    bare = CODE.sub(" ", FENCED.sub(" ", text))
    for alt, source in IMAGE.findall(bare):
        if len(alt.split()) < 2:
            yield f"the picture {source[:40]!r} has no alternative text that says something: {alt!r}"
    yield from check_pictures(bare)


# ---------------------------------------------------------------------- outputs


def check_outputs(path, book):
    """Whether the outputs are those of the code that stands there, and what a reader may meet in them."""
    if path.stat().st_size > MOST_BYTES:
        yield f"has {path.stat().st_size:,} bytes; {MOST_BYTES:,} are the most"
    if book.metadata.get("vaenb", {}).get("sources") != hash_of(book):
        yield "is stale: its code is not the one that was run; run it again with: course.py run"
    code = [cell for cell in book.cells if cell.cell_type == "code"]
    counts = [cell.execution_count for cell in code]
    if counts != list(range(1, len(code) + 1)):
        yield f"was not run in order: its cells count {counts}"
    for number, cell in enumerate(code, start=1):
        for output in cell.outputs:
            yield from (f"cell [{number}] {problem}" for problem in check_output(output))
    wrong = unproduced(book)
    if wrong:
        yield f"its prose has numbers that no cell has or prints: {', '.join(wrong)}"


def check_output(output):
    """What is wrong with one output."""
    if output.output_type == "error":
        yield f"ends with an error: {output.ename}"
        return
    if output.output_type == "stream":
        if output.name == "stderr":
            yield f"says on stderr: {output.text.strip()}"
        if ADDRESS.search(output.text):
            yield "prints an address in memory, which differs from run to run"
        return
    data = output.data
    if VIEW in data:
        yield "shows a widget that leaves no still"
    plain = data.get("text/plain", "")
    if ADDRESS.search(plain) and "text/html" not in data:
        yield "shows an address in memory, which differs from run to run"
    is_picture = any(kind.startswith("image/") for kind in data)
    if is_picture and (not plain or re.match(r"<[\w.]+( |>)", plain)):
        yield "shows a picture without alternative text"
    yield from check_pictures(data.get("text/html", ""))


def check_pictures(markup):
    """Pictures in HTML need alternative text."""
    for tag in re.findall(r"<img\b[^>]*>", markup):
        alt = re.search(r'\balt="([^"]*)"', tag)
        if alt is None or not alt[1].strip():
            yield f"shows a picture without alternative text: {tag[:60]}"
    for svg in re.findall(r"<svg\b.*?</svg>", markup, flags=re.DOTALL):
        if not re.search(r"<title\b[^>]*>[^<]+|aria-label(ledby)?=\"[^\"]+|aria-hidden=\"true", svg):
            yield f"shows a picture without a title: {svg[:60]}"


# ---------------------------------------------------------------------- the text


@cache
def _speller():
    from spellchecker import SpellChecker

    speller = SpellChecker(language="en")
    lines = WORDS.read_text(encoding="utf-8").splitlines()
    speller.word_frequency.load_words([line for line in lines if line and not line.startswith("#")])
    return speller


def misspelt(words):
    """Those words that are in no list, in order."""
    return sorted(_speller().unknown([word.lower() for word in words]))


def check_headings(texts):
    """One heading of the first level, at the very beginning; below it no level left out."""
    levels = [
        (len(marks), title) for text in texts for marks, title in HEADING.findall(FENCED.sub(" ", text))
    ]
    tops = [title for level, title in levels if level == 1]
    if len(tops) != 1 or not texts or not texts[0].lstrip().startswith("# "):
        yield f"needs one heading of the first level, and begins with it; it has {len(tops)}: {tops}"
    for (before, _), (level, title) in itertools.pairwise(levels):
        if level > before + 1:
            yield f"the heading {title!r} is of level {level} after one of level {before}"


def links_in(text):
    """Where the links and pictures of some markdown lead."""
    bare = CODE.sub(" ", FENCED.sub(" ", text))
    found = [target for _, target in LINK.findall(bare)] + [target for _, target in IMAGE.findall(bare)]
    found += re.findall(r"<(https?://[^>\s]+)>", bare)
    return found + [html.unescape(each) for each in re.findall(r"(?:href|src)=\"([^\"]+)\"", bare)]


def check_links(text, folder):
    """Links within the course must lead somewhere; others must be whole addresses."""
    for target in links_in(text):
        parts = urlsplit(target)
        if parts.scheme in {"http", "https"}:
            if parts.scheme != "https" or "." not in parts.netloc or " " in target:
                yield f"the link {target!r} is no whole https address"
        elif parts.scheme == "data":
            continue
        elif parts.scheme:
            yield f"the link {target!r} is neither https nor a file of the course"
        else:
            yield from _check_file(target, parts, text, folder)


def _check_file(target, parts, text, folder):
    place = (folder / unquote(parts.path)).resolve() if parts.path else None
    if place is not None and not place.exists():
        yield f"the link {target!r} leads to no file"
        return
    if parts.fragment and (place is None or place.suffix == ".md"):
        whole = text if place is None else place.read_text(encoding="utf-8")
        anchors = {anchor(title) for _, title in HEADING.findall(whole)}
        if place is not None and unquote(parts.fragment) not in anchors:
            yield f"the link {target!r} leads to no heading"


def anchor(title):
    """The name that GitHub gives to a heading."""
    return re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")


# ---------------------------------------------------------------------- the pattern of a notebook


def check_shape(path, book):
    """How a notebook opens and ends, and how long its cells are."""
    opening = "\n".join(cell.source for cell in book.cells[:3] if cell.cell_type == "markdown")
    for wanted in OPENING:
        pattern = wanted if isinstance(wanted, re.Pattern) else re.compile(re.escape(wanted))
        if not pattern.search(opening):
            yield f"does not open with {pattern.pattern!r}"
    yield from check_lengths(book)
    if path.name.startswith("00"):
        return
    whole = "\n".join(cell.source for cell in book.cells if cell.cell_type == "markdown")
    _, learnt, ending = whole.rpartition("What you learnt")
    if not learnt:
        yield "does not end with 'What you learnt'"
    folded = len(re.findall(r"<details>.*?<summary>.*?</summary>.+?</details>", ending, flags=re.DOTALL))
    if learnt and folded != 3:
        yield f"ends with {folded} questions whose answers are folded away; expected 3"


def check_lengths(book):
    """The median length of a code cell."""
    lines = [
        len([line for line in cell.source.splitlines() if line.strip()])
        for cell in book.cells
        if cell.cell_type == "code"
    ]
    if not lines or statistics.median(lines) > MEDIAN_LINES:
        median = statistics.median(lines or [0])
        yield f"has code cells of {median} lines in the median; {MEDIAN_LINES} are the most"
    if book.cells[-1].cell_type != "markdown":
        yield f"ends with a {book.cells[-1].cell_type} cell"


def check_exercises(path, book):
    """The exercises of one step: numbered in order, and the student's version is the one that they make."""
    number = path.name[:2]
    seen = "\n".join(without_solution(cell.source) for cell in book.cells if cell.cell_type == "code")
    asked = re.findall(r"check\(\s*[\"'](\d\d\.\d)[\"']", seen)
    wanted = [f"{number}.{place}" for place in range(1, len(asked) + 1)]
    if asked != wanted or not 3 <= len(asked) <= 4:
        yield f"checks the exercises {asked}; expected three or four, numbered from {number}.1"
    opening = "\n".join(cell.source for cell in book.cells[:2])
    if not OPENING[2].search(opening):
        yield "does not open with how long it takes"
    student = path.parents[1] / path.name
    made = nbformat.writes(students_version(book)) + "\n"
    if not student.exists() or student.read_text(encoding="utf-8") != made:
        yield "has a student's version that is not the one made from it; make it with: course.py students"


def check_page(path):
    """Spelling, links, alternative text and headings of a page such as README.md."""
    text = path.read_text(encoding="utf-8")
    return [*check_headings([text]), *check_markdown(text, path.parent)]


def external_links(path):
    """The addresses outside the course that a notebook or a page leads to."""
    if path.suffix == ".ipynb":
        book = nbformat.read(path, as_version=4)
        text = "\n\n".join(cell.source for cell in book.cells if cell.cell_type == "markdown")
    else:
        text = path.read_text(encoding="utf-8")
    return sorted({target for target in links_in(text) if target.startswith("http")})
