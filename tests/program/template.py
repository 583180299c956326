"""A project that was brought up once and lies still: tests that need one get a copy, which costs a fifth of an `up`."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
from typing import TYPE_CHECKING

from infra.server.embedded import cluster
from tests.program.homes import Embedded, External, copy_of
from tests.program.project import Project
from tests.program.state import admin_password, named

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

MIDDLE_OF_A_NUMBER = r"(?<![\w.-]){}(?![\w-])"


class Template:
    """A project at rest: its checkout, its state with the secrets in plain text, its server stopped."""

    def __init__(self, project: Project, home: Embedded, databases: Sequence[str]) -> None:
        project.make()
        project.configure(databases=list(databases))
        project.up()
        self.project = project
        self.home = home
        exported = project.exported()
        self.text = json.dumps(exported)
        self.server = named(exported, "server")["outputs"]
        self.port = int(home.way(project)["port"])
        cluster.stop(home.base(project), owner=self._specification(project).owner)

    def copy(self, folder: Path) -> Project:
        """Return a running copy in a folder: its own name and port, the data and passwords of this project."""
        project = Project(folder, self.home)
        project.settings = json.loads(json.dumps(self.project.settings))
        shutil.copytree(self.project.folder, folder, symlinks=True, dirs_exist_ok=True)
        base = self.home.base(project)
        copy_of(self.home.base(self.project), base)
        marker = base / "server.json"
        marker.write_text(self._as(project, marker.read_text(), 0))
        running = cluster.ensure(self._specification(project))
        if isinstance(self.home, External):
            self.home.live_at(project, running)
            project.configure()
        state = folder / "state.json"
        exported = json.loads(self._as(project, self.text, running.port))
        env_file = named(exported, "env-file")
        content = json.loads(env_file["inputs"]["content"]["plaintext"])  # which has another address now
        env_file["outputs"]["digest"] = "sha256:" + hashlib.sha256(content.encode()).hexdigest()
        state.write_text(json.dumps(exported))
        env = folder / ".env.test"
        env.write_text(self._as(project, env.read_text(), running.port))
        project.pulumi("stack", "import", "--stack", project.stack, "--file", str(state))
        state.unlink()
        return project

    def _specification(self, project: Project) -> cluster.ClusterSpec:
        if isinstance(self.home, External):
            return self.home.specification(project)
        return cluster.ClusterSpec(
            name=self.home.base(project).name,
            owner=self._as(project, self.server["owner"], 0),
            admin_password=admin_password(json.loads(self.text)),
            root=self.home.data_root,
            bin_dir=None,
            port=0,
            run_as=self.server.get("run_as") or "",
            settings=self.server["settings"],
            admin_user=self.server["user"],
        )

    def _as(self, project: Project, text: str, port: int) -> str:
        known = MIDDLE_OF_A_NUMBER.format(self.port)
        text = text.replace(self.project.mark, project.mark).replace(self.project.folder.name, project.folder.name)
        return re.sub(known, str(port), text)
