"""The launcher, the palette, the menu and the keyboard: the course, a new study, the documentation."""

import json

import pytest
from labext import COURSE
from labext_pages import files

__all__ = ["files"]
STEPS = ["1 Prepare data", "2 Build the VAE", "3 Train", "4 Score", "5 Set the threshold", "6 Judge"]
FILES = ["01_prepare_data", "02_build_the_vae", "03_train", "04_score", "05_set_the_threshold", "06_judge"]
COMMANDS = ["find-anomalies", "new-study", "tour", "restart-course", "documentation", "show-panel"]
COMMANDS += [f"step-{number}" for number in range(1, 7)]


def settings(files, **values):
    folder = files.lab.server.place / "settings" / "vaenb"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "plugin.jupyterlab-settings").write_text(json.dumps(values))


def handed_out(folder):
    return sorted(path.name for path in folder.glob("*.ipynb"))


def test_the_section_of_the_launcher_in_light_and_dark(files):
    files.open()
    section = files.page.locator(".jp-Launcher-section", has_text="Anomaly detection")
    section.wait_for()
    labels = section.locator(".jp-LauncherCard-label").all_inner_texts()
    assert labels == ["New study", "Tour", *STEPS]
    for theme in ("light", "dark"):
        files.lab.theme(theme)
        files.lab.picture(section, f"labext-launcher-{theme}")


def test_the_section_goes_where_the_settings_say_so(files):
    settings(files, showInLauncher=False)
    files.open()
    files.page.locator(".jp-Launcher-section").first.wait_for()
    assert files.page.get_by_text("Anomaly detection").count() == 0
    files.lab.command("settingeditor:open", query="Anomaly detection")
    editor = files.page.locator(".jp-SettingsPanel").get_by_text("Threshold rule of new studies").first
    editor.wait_for()
    files.lab.picture(None, "labext-settings")


def test_the_tour_is_a_copy_of_ones_own_in_the_current_folder(files):
    (files.folder / "my course").mkdir()
    (files.folder / "my course" / "03_train.ipynb").write_text("mine")
    files.open()
    files.lab.command("filebrowser:go-to-path", path="my course")
    files.card("Tour").click()
    files.wait_for("my course/00_tour.ipynb")
    copy = files.folder / "my course" / "00_tour.ipynb"
    ours = json.loads((COURSE / "00_tour.ipynb").read_text())
    assert [cell["source"] for cell in json.loads(copy.read_text())["cells"]] == [
        cell["source"] for cell in ours["cells"]
    ]
    files.lab.until(lambda: handed_out(copy.parent) == sorted(path.name for path in COURSE.glob("*.ipynb")))
    files.lab.until(lambda: (copy.parent / "exercises" / "06_judge.ipynb").exists())
    assert not (copy.parent / "exercises" / "solutions").exists()
    assert (copy.parent / "03_train.ipynb").read_text() == "mine"
    assert handed_out(files.folder) == []


@pytest.mark.parametrize("number", [1, 6])
def test_a_step_opens_where_the_settings_want_the_course(files, number):
    settings(files, courseFolder="course/of mine")
    files.open()
    files.card(STEPS[number - 1]).click()
    files.wait_for(f"course/of mine/{FILES[number - 1]}.ipynb")
    assert handed_out(files.folder) == []


def test_a_new_study_is_run(files):
    (files.folder / "study.ipynb").write_text("mine")
    settings(files, thresholdRule="mad")
    files.open()
    files.card("New study").click()
    files.wait_for("study_2.ipynb")
    files.lab.panel()
    assert files.lab.value("study.plan.settings('threshold')['threshold']") == "mad"
    assert (files.folder / "study.ipynb").read_text() == "mine"


def test_restarting_the_course_keeps_what_one_has(files):
    (files.folder / "00_tour.ipynb").write_text("mine")
    files.open()
    files.page.evaluate("() => void jupyterapp.commands.execute('vaenb:restart-course')")
    dialog = files.dialog()
    assert "Your 1 file of the course stays as it is: it moves into “earlier-1”" in dialog.inner_text()
    files.lab.picture(dialog, "labext-restart")
    dialog.get_by_text("Cancel").click()
    assert handed_out(files.folder) == ["00_tour.ipynb"]
    files.page.evaluate("() => void jupyterapp.commands.execute('vaenb:restart-course')")
    files.dialog().get_by_role("button", name="Restart the course").click()
    files.wait_for("00_tour.ipynb")
    assert (files.folder / "earlier-1" / "00_tour.ipynb").read_text() == "mine"
    assert len(json.loads((files.folder / "00_tour.ipynb").read_text())["cells"]) > 3
    files.lab.until(lambda: len(handed_out(files.folder)) == len(list(COURSE.glob("*.ipynb"))))


def test_palette_and_menu_have_everything(files):
    files.open()
    named = {"Find anomalies in a file…", "New study", "Course: Tour", "Restart the course"}
    named |= {f"Course: {step}" for step in STEPS} | {"vaenb: documentation", "Show the panel Anomalies"}
    palette = files.page.locator(".jp-ModalCommandPalette")
    labels = palette.locator(".lm-CommandPalette-itemLabel")

    def pictured():
        """It closes when something else takes the focus: then once more."""
        if not palette.is_visible():
            files.lab.command("apputils:activate-command-palette")
            return False
        palette.locator("input").fill("anomaly detection", force=True)
        found = named <= set(labels.all_inner_texts())
        return found and files.lab.picture(None, "labext-palette") and palette.is_visible()

    files.lab.until(pictured)
    files.page.keyboard.press("Escape")
    menu = files.page.locator(".lm-Menu")
    for theme in ("light", "dark"):
        files.lab.theme(theme)
        files.page.locator(".lm-MenuBar-itemLabel", has_text="Anomalies").click()
        files.lab.until(lambda: named <= set(menu.locator(".lm-Menu-itemLabel").all_inner_texts()))
        files.lab.picture(menu, f"labext-main-menu-{theme}")
        files.lab.until(lambda: files.page.keyboard.press("Escape") or not menu.count())


def test_find_anomalies_without_a_file_asks_for_one(files):
    (files.folder / "notes.txt").write_text("x")
    (files.folder / "load.csv").write_text("a\n1\n2\n")
    files.open()
    files.page.evaluate("() => void jupyterapp.commands.execute('vaenb:find-anomalies')")
    dialog = files.dialog()
    dialog.locator(".jp-DirListing-item").filter(has=files.page.get_by_text("load.csv")).wait_for()
    assert dialog.locator(".jp-DirListing-item").count() == 1
    files.lab.picture(dialog, "labext-choose")
    dialog.locator(".jp-DirListing-item").click()
    dialog.get_by_role("button", name="Select").click()
    files.wait_for("load_anomalies.ipynb")


def test_every_command_has_a_shortcut_that_no_other_has(files):
    files.open()
    bound = files.page.evaluate(
        "() => jupyterapp.commands.keyBindings.map(b => ({command: b.command, keys: [...b.keys]}))"
    )
    ours = {tuple(each["keys"]): each["command"] for each in bound if each["command"].startswith("vaenb:")}
    assert sorted(ours.values()) == sorted(f"vaenb:{name}" for name in COMMANDS)
    others = [tuple(each["keys"]) for each in bound if not each["command"].startswith("vaenb:")]
    for keys in ours:  # neither the same keys, nor a beginning of them, nor one that they begin
        assert not [each for each in others if each[: len(keys)] == keys[: len(each)]]
    files.page.keyboard.press("Control+Shift+Y")
    files.page.keyboard.press("d")
    docs = files.page.locator(".vaenb-docs")
    docs.get_by_role("heading", name="vaenb").first.wait_for()
    for theme in ("light", "dark"):
        files.lab.theme(theme)
        files.lab.picture(None, f"labext-docs-{theme}")
