"""A project that was brought up once and lies still: tests that need one get a copy, which costs a fifth of an `up`."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from typing import TYPE_CHECKING

from infra.server import cluster
from tests.program.project import Project, admin_password, named

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

MIDDLE_OF_A_NUMBER = r"(?<![\w.-]){}(?![\w-])"


class Template:
    """A project at rest: its checkout, its state with the secrets in plain text, its server stopped."""

    def __init__(self, project: Project, databases: Sequence[str]) -> None:
        project.make()
        project.configure(databases=list(databases))
        project.up()
        self.project = project
        exported = project.exported()
        self.text = json.dumps(exported)
        self.server = named(exported, "server")["outputs"]
        cluster.stop(project.base, owner=self.server["owner"])

    def copy(self, folder: Path) -> Project:
        """Give a running copy in a folder, with a name and a port of its own and the data and passwords of this one."""
        project = Project(folder, self.project.data_root)
        project.settings = json.loads(json.dumps(self.project.settings))
        shutil.copytree(self.project.folder, folder, symlinks=True, dirs_exist_ok=True)
        subprocess.run(["cp", "-a", self.project.base, project.base], check=True)
        marker = project.base / "server.json"
        marker.write_text(self._as(project, marker.read_text(), 0))
        running = cluster.ensure(
            cluster.ClusterSpec(
                name=project.base.name,
                owner=self._as(project, self.server["owner"], 0),
                admin_password=admin_password(json.loads(self.text)),
                root=project.data_root,
                bin_dir=None,
                port=0,
                run_as=self.server.get("run_as") or "",
                settings=self.server["settings"],
                admin_user=self.server["user"],
            )
        )
        state = folder / "state.json"
        state.write_text(self._as(project, self.text, running.port))
        env = folder / ".env.test"
        env.write_text(self._as(project, env.read_text(), running.port))
        project.pulumi("stack", "import", "--stack", project.stack, "--file", str(state))
        state.unlink()
        return project

    def _as(self, project: Project, text: str, port: int) -> str:
        known = MIDDLE_OF_A_NUMBER.format(int(self.server["listen_port"]))
        text = text.replace(self.project.mark, project.mark).replace(self.project.folder.name, project.folder.name)
        return re.sub(known, str(port), text)
