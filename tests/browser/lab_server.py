"""One real `jupyter lab` of its own: private folders, one kernel (this very Python), nothing from outside."""

import json
import os
import secrets
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

from labext import extra_labextensions

TESTS = Path(__file__).parents[1]
KERNEL = "vaenb-test"
SETTINGS = {
    "apputils-extension/notification": {
        "fetchNews": "false",
        "checkForUpdates": False,
        "doNotDisturbMode": True,
    },
    "apputils-extension/themes": {"theme": "JupyterLab Light"},
    "docmanager-extension/plugin": {"autosave": False},
    "completer-extension/inline-completer": {"providers": {}},
}


class LabServer:
    """A running JupyterLab. `folder` holds its notebooks; `log` is what it said."""

    def __init__(self, place, *, base_url="/", page_config=None):
        self.place = Path(place)
        self.base_url, self.page_config = base_url, page_config or {}
        self.folder = self.place / "work"
        self.token = secrets.token_hex(16)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}{base_url}".rstrip("/")
        self._lay_out()
        self.log = self.place / "server.log"
        with self.log.open("w") as said:
            self._process = subprocess.Popen(
                self._command(), env=self._environment(), cwd=self.folder, stdout=said, stderr=said
            )
        self._wait()

    def _lay_out(self):
        for name in ("work", "config", "data", "runtime", "workspaces", "ipython", "settings"):
            (self.place / name).mkdir(parents=True)
        (self.place / "config" / "labconfig").mkdir()
        page_config = self.place / "config" / "labconfig" / "page_config.json"
        page_config.write_text(json.dumps(self.page_config))
        spec = {
            "argv": [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"],
            "display_name": "vaenb test",
            "language": "python",
        }
        home = self.place / "data" / "kernels" / KERNEL
        home.mkdir(parents=True)
        (home / "kernel.json").write_text(json.dumps(spec))
        self.forget_settings()

    def forget_settings(self):
        """Every setting as a test finds it at its start: light theme, no news, no autosave."""
        for name, values in SETTINGS.items():
            path = self.place / "settings" / "@jupyterlab" / f"{name}.jupyterlab-settings"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps(values))
        shutil.rmtree(self.place / "settings" / "vaenb", ignore_errors=True)

    def _command(self):
        options = {
            "ServerApp.ip": "127.0.0.1",
            "ServerApp.port": self.port,
            "ServerApp.port_retries": 0,
            "ServerApp.root_dir": self.folder,
            "ServerApp.allow_root": True,
            "IdentityProvider.token": self.token,
            "LabApp.expose_app_in_browser": True,
            "LabApp.extension_manager": "readonly",
            "LabApp.news_url": "None",
            "LabApp.check_for_updates_class": "jupyterlab.NeverCheckForUpdate",
            "LabApp.collaborative": False,
            "MappingKernelManager.default_kernel_name": KERNEL,
            "ServerApp.base_url": self.base_url,
        }
        said = [f"--{name}={value}" for name, value in options.items()]
        said += [f"--LabApp.extra_labextensions_path={path}" for path in extra_labextensions(self.place)]
        return [sys.executable, "-m", "jupyterlab", "--no-browser", *said]

    def _environment(self):
        kept = {name: value for name, value in os.environ.items() if not name.startswith("JUPYTER")}
        path = [str(TESTS / "panels"), *filter(None, [os.environ.get("PYTHONPATH")])]
        return kept | {
            "JUPYTER_CONFIG_DIR": str(self.place / "config"),
            "JUPYTER_DATA_DIR": str(self.place / "data"),
            "JUPYTER_RUNTIME_DIR": str(self.place / "runtime"),
            "JUPYTERLAB_SETTINGS_DIR": str(self.place / "settings"),
            "JUPYTERLAB_WORKSPACES_DIR": str(self.place / "workspaces"),
            "IPYTHONDIR": str(self.place / "ipython"),
            "JUPYTER_PLATFORM_DIRS": "1",
            "PYTHONPATH": os.pathsep.join(path),
            "PYDEVD_DISABLE_FILE_VALIDATION": "1",
            "TF_CPP_MIN_LOG_LEVEL": "3",
        }

    def _wait(self, seconds=180):
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            if self._process.poll() is not None:
                break
            try:
                self.api("status")
            except (urllib.error.URLError, ConnectionError, TimeoutError):
                time.sleep(0.1)
            else:
                return
        self.end()
        raise RuntimeError(f"JupyterLab did not start:\n{self.log.read_text()[-4000:]}")

    def api(self, path, method="GET", **body):
        """Ask the server's REST interface: `api("kernels/ID/interrupt", "POST")`."""
        request = urllib.request.Request(  # 127.0.0.1, nothing else
            f"{self.url}/api/{path}",
            method=method,
            data=json.dumps(body).encode() if body else (b"" if method == "POST" else None),
            headers={"Authorization": f"token {self.token}", "Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=60) as answer:
            said = answer.read()
        return json.loads(said) if said else None

    def end_kernels(self):
        """Shut every kernel down, and forget the sessions."""
        for session in self.api("sessions"):
            self.api(f"sessions/{session['id']}", "DELETE")
        for kernel in self.api("kernels"):
            self.api(f"kernels/{kernel['id']}", "DELETE")

    def end(self):
        """Stop the server and its kernels."""
        if self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(30)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
