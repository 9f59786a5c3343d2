"""What a notebook says: its prose without code and formulas, the numbers in it, and the words."""

import base64
import html
import re

FENCED = re.compile(r"^(```|~~~).*?^\1\s*$", re.MULTILINE | re.DOTALL)
CODE = re.compile(r"(`+)(?!`).+?(?<!`)\1(?!`)", re.DOTALL)
MATHS = re.compile(
    r"\$\$.+?\$\$|\\\[.+?\\\]|\\\(.+?\\\)|(?<![\\\w$])\$(?=\S)[^$]+?(?<=\S)\$(?![\d$])", re.DOTALL
)
COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
TAG = re.compile(r"</?[A-Za-z][^>]*>")
LINK = re.compile(r"(?<!!)\[((?:[^\[\]]|\[[^\]]*\])*)\]\(\s*<?([^)\s>]*)>?(?:\s+\"[^\"]*\")?\s*\)")
IMAGE = re.compile(r"!\[([^\]]*)\]\(\s*<?([^)\s>]*)>?(?:\s+\"[^\"]*\")?\s*\)")
BARE = re.compile(r"<?\bhttps?://[^\s<>)\]]+>?|\bdoi:\S+|\barXiv:\S+", re.IGNORECASE)
HEADING = re.compile(r"^ {0,3}(#{1,6})\s+(.*?)\s*#*\s*$", re.MULTILINE)

_SPACE = "\u00a0\u202f\u2009"
_FIGURE = rf"\d{{1,3}}(?:[,{_SPACE}]\d{{3}})+(?:\.\d+)?|\d+(?:\.\d+)?"
_NUMBERED = "step|notebook|exercise|question|part|figure|equation|chapter"
# Numbers that no code has to produce.
EXEMPT = [
    re.compile(r"^\s*\d+[.)]\s", re.MULTILINE),  # a numbered list
    re.compile(r"Takes about [\w.,\u2013 -]*minutes?"),
    re.compile(
        rf"\b(?:{_NUMBERED})s?\s+\d+(?:\.\d+)?(?:\s*(?:,|and|or|to|\u2013|-)\s*\d+(?:\.\d+)?)*", re.IGNORECASE
    ),
    re.compile(r"\((?=[^()]*[A-Z])[^()]*\b(?:19|20)\d\d[a-z]?\)"),  # (Wu & Keogh 2021)
    re.compile(
        r"\b[A-Z][\w\u00c0-\u024f-]+(?: et al\.| (?:and|&) [A-Z][\w-]+)?,? \(?(?:19|20)\d\d\b\)?"
    ),  # Tavallaee (2021)
]
PROSE_NUMBER = re.compile(
    r"(?P<about>\b(?:about|around|roughly|nearly|almost|some|(?:more|less|fewer) than)\s+)?"
    rf"(?<![A-Za-z_\d.,/])(?P<figure>{_FIGURE})(?P<percent>[{_SPACE} ]?%)?",
    re.IGNORECASE,
)
FOUND_NUMBER = re.compile(r"\d{1,3}(?:,\d{3})+(?:\.\d+)?|(?:\d+(?:_\d{3})*(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?")
WORD = re.compile(r"[A-Za-z\u00c0-\u024f](?:[A-Za-z\u00c0-\u024f'\u2019]*[A-Za-z\u00c0-\u024f])?")


def prose(markdown, *, links=True, headings=True):
    """The text of a markdown cell: without code, formulas, tags and addresses.

    Parameters
    ----------
    markdown : str
    links, headings : bool
        Whether the words of links and of headings stay.
    """
    text = markdown
    for pattern in (FENCED, COMMENT, CODE, MATHS):
        text = pattern.sub(" ", text)
    text = IMAGE.sub(r" \1 ", text)
    text = LINK.sub(r" \1 " if links else " ", text)
    text = BARE.sub(" ", text)
    text = HEADING.sub(r"\2" if headings else "", text)
    return html.unescape(TAG.sub(" ", text))


def numbers_in(markdown):
    """The numbers that the prose states: (as written, value, how far off it may be, whether in percent)."""
    text = prose(markdown, links=False, headings=False)
    for pattern in EXEMPT:
        text = pattern.sub(" ", text)
    for match in PROSE_NUMBER.finditer(text):
        written = re.sub(rf"[,{_SPACE}]", "", match["figure"])
        yield (
            match[0].strip(),
            float(written),
            _half_a_step(written, rounded=bool(match["about"])),
            bool(match["percent"]),
        )


def _half_a_step(written, *, rounded):
    """Half of the last digit that is stated; of a round number after "about", the last that is not 0."""
    decimals = len(written.partition(".")[2])
    if not decimals and rounded:
        decimals = len(written.rstrip("0")) - len(written)
    return 0.5 * 10.0**-decimals


def produced(cells):
    """All numbers in the sources and outputs of code cells."""
    found = set()
    for cell in cells:
        if cell.cell_type == "code":
            for text in (cell.source, *map(output_text, cell.outputs)):
                found |= _read(text)
    return found


def _read(text):
    found = set()
    for match in FOUND_NUMBER.finditer(re.sub(rf"(?<=\d)[{_SPACE}](?=\d{{3}}\b)", "", text)):
        word = match[0].replace("_", "")
        found.add(float(word.replace(",", "")))
        if "," in word:  # a list without spaces
            found |= {float(each) for each in word.split(",")}
    return found


def unproduced(book):
    """The numbers in the prose of a notebook that no code cell has, or prints, to the precision written."""
    known = produced(book.cells)
    wrong = []
    for cell in book.cells:
        if cell.cell_type == "markdown":
            for written, value, slack, is_percent in numbers_in(cell.source):
                sizes = known | {100 * number for number in known} if is_percent else known
                if not any(abs(number - value) <= slack * (1 + 1e-9) for number in sizes):
                    wrong.append(written)
    return wrong


def output_text(output):
    """What a reader sees of an output: text, tables, the words of pictures and their alternative text."""
    if output.output_type == "stream":
        return output.text
    data = output.get("data", {})
    parts = [data.get("text/plain", ""), data.get("text/markdown", "")]
    parts += [seen(data[kind]) for kind in ("text/html", "image/svg+xml") if kind in data]
    return "\n".join(parts)


def seen(markup):
    """The words of HTML or SVG, with those of the pictures in it."""
    markup = re.sub(r"<style\b.*?</style>|<script\b.*?</script>", " ", markup, flags=re.DOTALL)
    inside = re.findall(r"data:image/svg\+xml;base64,([A-Za-z0-9+/=]+)", markup)
    words = [seen(base64.b64decode(each).decode()) for each in inside]
    words += re.findall(r'\balt="([^"]*)"', markup)
    return html.unescape(" ".join([TAG.sub(" ", markup), *words]))


def words_in(markdown):
    """The words of a text in the order in which they stand, without names in capitals."""
    for word in WORD.findall(prose(markdown)):
        plain = re.sub(r"['\u2019]s?$", "", word).replace("\u2019", "'")
        if len(plain) > 1 and not any(letter.isupper() for letter in plain[1:]):
            yield plain
