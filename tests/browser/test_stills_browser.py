"""Where no panel lives, its still is seen, and no message of an error; where one lives, it is not seen."""

import re

import nbformat
import pytest

CELL = """
from small_panel import SmallPanel
panel = SmallPanel()
panel
"""
MESSAGES = re.compile("Error displaying widget|Loading widget|SmallPanel:|model not found")


def saved(lab, value=6):
    """A notebook, saved after the panel was changed; its kernel is gone."""
    lab.notebook(CELL, "1 + 1")
    lab.panel().locator("svg.svg-figure").wait_for()
    lab.do(f"panel.n.value = {value}")
    html = "jupyterapp.shell.currentWidget.content.widgets[0].model.outputs.get(1)?.data['text/plain']"
    lab.until(lambda: lab.page.evaluate(html) == f"Small. n < {value + 1}.")
    book = lab.save()
    lab.server.end_kernels()
    lab.allowed.append("model not found|widget model|could not be found")  # JupyterLab says it in the console
    return book


def assert_still_stands(lab, page, name, *, alt="Small. n < 7."):
    """The still is seen, whole and with its words, and nothing beside it."""
    still = page.locator("img[class~=vaenb-still]")
    still.wait_for()
    lab.until(lambda: (still.bounding_box() or {"height": 0})["height"] > 90)
    assert still.count() == 1
    assert still.get_attribute("alt") == alt
    assert still.evaluate("image => image.complete && image.naturalWidth > 0")
    assert not MESSAGES.search(page.locator("body").inner_text())
    lab.picture(still, name)


def test_beside_a_living_panel_nothing_is_seen_of_it(lab):
    lab.write(CELL, "1 + 1")
    lab.open()
    lab.page.evaluate(
        """() => {
            window.seenStills = 0;
            const look = () => {
                for (const still of document.querySelectorAll('.vaenb-still'))
                    if (still.checkVisibility({visibilityProperty: true})) window.seenStills += 1;
                requestAnimationFrame(look);
            };
            look();
        }"""
    )
    lab.run()
    panel = lab.panel()
    panel.locator("svg.svg-figure").wait_for()
    lab.settle()
    children = lab.cell(0).locator(".jp-OutputArea-child")
    lab.until(lambda: children.count() == 2)
    heights = children.evaluate_all("all => all.map(child => child.offsetHeight)")
    assert heights[1] == 0
    lab.do("panel.n.value = 5")
    lab.until(lambda: "n &lt; 6" in children.nth(1).inner_html())
    lab.until(lambda: lab.output(1) == "2")
    assert lab.page.locator(".jp-OutputArea-child").count() == 3
    lab.settle_frame()
    assert lab.page.evaluate("window.seenStills") == 0


def test_a_reopened_notebook_with_a_fresh_kernel(lab):
    saved(lab)
    lab.open()
    assert_still_stands(lab, lab.page, "still-fresh-kernel")
    lab.theme("dark")
    assert_still_stands(lab, lab.page, "still-dark")
    lab.run(0)
    lab.panel().locator("svg.svg-figure").wait_for()
    lab.page.locator(".vaenb-still").wait_for(state="hidden")


def test_a_reopened_notebook_without_a_kernel(lab):
    book = saved(lab)
    book.metadata["kernelspec"] = {"name": "none", "display_name": "none", "language": "python"}
    nbformat.write(book, lab.server.folder / "x.ipynb")
    lab.server.api("contents/x.ipynb/trust", "POST")
    lab.open(kernel=False)
    lab.page.get_by_role("dialog").get_by_role("button", name="No Kernel").click()
    assert_still_stands(lab, lab.page, "still-no-kernel")
    assert lab.server.api("kernels") == []


def test_a_notebook_that_is_not_trusted(lab):
    book = saved(lab)
    book.cells.append(nbformat.v4.new_code_cell("2"))  # no longer what this server signed
    nbformat.write(book, lab.server.folder / "u.ipynb")
    lab.open("u.ipynb")
    assert_still_stands(lab, lab.page, "still-untrusted")
    assert lab.page.locator(".jp-OutputArea style").count() == 0  # nothing but the image came through


@pytest.mark.parametrize("template", ["lab", "classic", "basic"])
def test_a_notebook_as_a_page(lab, template):
    from nbconvert import HTMLExporter

    book = saved(lab)
    text, _ = HTMLExporter(template_name=template).from_notebook_node(book)
    path = lab.server.folder / f"{template}.html"
    path.write_text(text, encoding="utf-8")
    page = lab.context.new_page()
    page.route(re.compile("^https?://"), lambda route: route.abort())
    page.goto(path.as_uri(), wait_until="domcontentloaded")
    assert_still_stands(lab, page, f"still-nbconvert-{template}")
    page.close()


def test_a_closed_panel_leaves_its_last_picture(lab):
    lab.notebook(CELL)
    lab.panel().locator("svg.svg-figure").wait_for()
    lab.do("panel.n.value = 6; panel.close()")
    assert_still_stands(lab, lab.page, "still-closed")
    lab.until(lambda: lab.page.locator(".vaenb-panel").count() == 0)


def test_a_picture_that_fails_costs_only_the_still(lab):
    lab.notebook(CELL.replace("\npanel\n", "\npanel.picture = lambda: 1 / 0\npanel\n"))
    panel = lab.panel()
    panel.get_by_role("slider").press("ArrowRight")
    lab.until(lambda: lab.value("panel.n.value") == 4)
    lab.do("panel.n.description = 'heard'")  # comes to the page after whatever the slider has brought
    panel.get_by_text("heard").wait_for()
    assert lab.page.locator(".vaenb-still").count() == 0
    assert panel.get_by_role("alert").count() == 0
