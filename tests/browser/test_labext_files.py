"""From a file to its anomalies in one click: the file browser's menu, and the notebook that comes of it."""

import json
import sys
import time

import nbformat
import pytest
from lab_server import KERNEL
from labext_pages import files, wave, write_series

import vaenb

__all__ = ["files"]
BUSY = 90.0


def is_filled(files):
    return "values=['load']" in files.sources()[1]


def test_one_click_opens_a_notebook_with_the_study(files):
    write_series(files.folder / "pump.csv")
    files.open()
    for theme in ("light", "dark"):
        files.lab.theme(theme)
        files.lab.picture(files.menu("pump.csv"), f"labext-menu-of-a-file-{theme}")
        files.page.keyboard.press("Escape")
    files.lab.theme("light")
    files.find_anomalies("pump.csv")
    files.wait_for("pump_anomalies.ipynb")
    files.lab.panel()
    files.lab.until(lambda: is_filled(files), seconds=BUSY)
    assert "series = vaenb.read_series('pump.csv', time='when', values=['load'])" in files.sources()[1]
    assert files.sources()[2] == "study = vaenb.Study(series)\nstudy"
    for theme in ("light", "dark"):
        files.lab.theme(theme)
        files.lab.picture(None, f"labext-notebook-{theme}")
    book = files.lab.save()
    nbformat.validate(book)
    assert book.metadata.vaenb.file == "pump.csv"
    assert "pump: 400 rows, 1 channel, every 1 h" in book.cells[1].outputs[0].text


def test_a_second_click_goes_to_the_notebook_that_is_there(files):
    write_series(files.folder / "pump.csv")
    (files.folder / "pump_anomalies_2.ipynb").write_text("{}")  # somebody else's, and it stays
    write_series(files.folder / "pump.parquet")
    files.open()
    files.find_anomalies("pump.csv")
    files.wait_for("pump_anomalies.ipynb")
    files.lab.until(lambda: is_filled(files), seconds=BUSY)
    files.lab.command("notebook:insert-cell-below")
    # bqplot says so when a figure is first drawn in a tab that does not show, as one may be from here on.
    files.lab.allowed.append(r"<rect> attribute (width|height): A negative value")
    files.lab.command("application:activate-previous-tab")  # the launcher
    files.page.locator(".jp-Launcher").wait_for()
    files.find_anomalies("pump.csv")
    files.wait_for("pump_anomalies.ipynb")
    assert len(files.sources()) == 4  # with the cell that was added: nothing was written anew
    files.lab.command("docmanager:save")
    files.lab.command("application:close")
    files.find_anomalies("pump.csv")
    files.wait_for("pump_anomalies.ipynb")
    files.page.locator(".jp-Notebook .jp-Cell").nth(3).wait_for()
    files.find_anomalies("pump.parquet")  # another file of that name has a notebook of its own
    files.wait_for("pump_anomalies_3.ipynb")
    assert (files.folder / "pump_anomalies_2.ipynb").read_text() == "{}"


@pytest.mark.parametrize(
    "path", ['it\'s "new" #1.csv', "größe 50%/データ [1].csv.gz", "a b/c/load & more.parquet"]
)
def test_names_of_every_kind(files, path):
    write_series(files.folder / path)
    folder, _, name = path.rpartition("/")
    files.open()
    files.page.evaluate(
        "folder => jupyterapp.commands.execute('filebrowser:go-to-path', {path: folder})", folder
    )
    files.find_anomalies(name)
    stem = name.removesuffix(".gz").rpartition(".")[0]
    files.wait_for(f"{folder}/{stem}_anomalies.ipynb".lstrip("/"))
    files.lab.until(lambda: is_filled(files), seconds=BUSY)
    assert f"vaenb.read_series({name!r}, time='when', values=['load'])" in files.sources()[1]
    assert "400 rows" in files.lab.output(1)


def test_a_saved_study_opens_as_it_was(files, tmp_path):
    study = vaenb.Study(
        wave(500),
        window_size=16,
        latent_dim=3,
        hidden=(16,),
        epochs=1,
        steps_per_epoch=5,
        verdicts=None,
    )
    study.run()
    study.save(files.folder / "wave.vaenb")
    threshold = study.threshold
    study.close()
    files.open()
    files.find_anomalies("wave.vaenb")
    files.wait_for("wave_anomalies.ipynb")
    assert files.sources()[1].endswith("study = vaenb.Study.load('wave.vaenb')\nstudy")
    files.lab.panel()
    assert files.lab.value("study.threshold") == threshold


def test_other_files_have_no_such_entry(files):
    (files.folder / "notes.txt").write_text("x")
    (files.folder / "sub.csv").mkdir()
    files.open()
    for name in ("notes.txt", "sub.csv"):
        menu = files.menu(name)
        menu.get_by_text("Rename").wait_for()
        assert not menu.get_by_text("Find anomalies").is_visible()
        files.page.keyboard.press("Escape")


def test_a_read_only_folder_is_said_and_nothing_is_lost(files):
    source = write_series(files.folder / "locked" / "pump.csv")
    before = source.read_bytes()

    def refuse(route):  # as the server does where the folder is read-only; for root, nothing is
        if route.request.method != "PUT":
            route.continue_()
            return
        said = json.dumps({"message": "Permission denied: locked/pump_anomalies.ipynb", "reason": None})
        route.fulfill(status=403, content_type="application/json", body=said)

    files.page.route("**/api/contents/locked/**", refuse)
    files.open()
    files.lab.command("filebrowser:go-to-path", path="locked")
    files.find_anomalies("pump.csv")
    dialog = files.dialog()
    assert "cannot be written into “locked”" in dialog.inner_text()
    for theme in ("light", "dark"):
        files.lab.theme(theme)
        files.lab.picture(dialog, f"labext-read-only-{theme}")
    dialog.get_by_text("Cancel").click()
    assert sorted(path.name for path in files.folder.rglob("*.ipynb")) == []
    files.find_anomalies("pump.csv")
    files.dialog().get_by_text("Write it into the top folder").click()
    files.wait_for("pump_anomalies.ipynb")
    files.lab.until(lambda: is_filled(files), seconds=BUSY)
    assert "vaenb.read_series('locked/pump.csv', time='when'" in files.sources()[1]
    files.find_anomalies("pump.csv")  # and the second click finds it there
    files.dialog().get_by_text("Write it into the top folder").click()
    files.wait_for("pump_anomalies.ipynb")
    assert source.read_bytes() == before
    assert [path.name for path in files.folder.glob("*.ipynb")] == ["pump_anomalies.ipynb"]
    assert [path.name for path in (files.folder / "locked").iterdir()] == ["pump.csv"]


def test_a_file_of_200_mb_is_answered_at_once_and_never_read_in_the_browser(files):
    block = "".join(f"{i % 97},{i * 7 % 1013}\n" for i in range(100_000)).encode()
    path = files.folder / "big.csv"
    with path.open("wb") as file:
        file.write(b"load,flow\n")
        while file.tell() < 200e6:
            file.write(block)
    asked = []
    files.page.on("response", lambda answer: asked.append(answer))
    files.open()
    menu = files.menu("big.csv")
    began = time.perf_counter()
    menu.get_by_text("Find anomalies").click()
    files.page.locator(".lm-TabBar-tabLabel", has_text="big_anomalies.ipynb").wait_for()
    answered = time.perf_counter() - began
    files.wait_for("big_anomalies.ipynb")
    print(f"200 MB: a tab after {answered:.2f} s, its cells after {time.perf_counter() - began:.2f} s")
    read = [each for each in asked if "big.csv" in each.url]
    assert not any("content=1" in each.url or "/files/" in each.url for each in read)
    files.lab.until(lambda: "values=['load', 'flow']" in files.sources()[1], seconds=300)
    path.unlink()


def test_a_kernel_without_vaenb_says_what_to_install(files):
    write_series(files.folder / "pump.csv")
    spec = files.lab.server.place / "data" / "kernels" / KERNEL / "kernel.json"
    before = spec.read_text()
    bare = (
        "import sys\n"
        "class Without:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name == 'vaenb': raise ModuleNotFoundError(f'No module named {name!r}', name=name)\n"
        "sys.meta_path.insert(0, Without())\n"
        "from ipykernel.kernelapp import launch_new_instance\n"
        "launch_new_instance()"
    )
    told = json.loads(before)
    spec.write_text(json.dumps(told | {"argv": [sys.executable, "-c", bare, "-f", "{connection_file}"]}))
    try:
        files.open()
        files.find_anomalies("pump.csv")
        files.wait_for("pump_anomalies.ipynb")
        error = files.page.locator(".jp-OutputArea-output").filter(has_text="No module named 'vaenb'")
        error.wait_for()
        assert "%pip install vaenb" in error.inner_text()
        assert not is_filled(files)
        files.lab.picture(None, "labext-without-vaenb")
    finally:
        spec.write_text(before)
