"""Pulumi's Automation API with as few runs of the CLI as an environment needs: each is a process of its own."""

from __future__ import annotations

import runpy
from datetime import datetime, timezone
from pathlib import Path

from pulumi import automation
from semver import VersionInfo

REQUIRED_VERSION = VersionInfo(3, 216)
"""The least version of the CLI, as Pulumi.yaml requires it: an older one refuses to run the program."""


class Command(automation.PulumiCommand):
    """The CLI, which is not asked for its version: the API would compare it with ones that are long gone."""

    def __init__(self) -> None:
        self.command = "pulumi"
        self.version = REQUIRED_VERSION


class Workspace(automation.LocalWorkspace):
    """The folder of a project, whose program runs in this process.

    In one of its own it waits for another Python to start, and for `pip list`, by which Pulumi looks for plugins.
    """

    def __init__(self, root: Path) -> None:
        super().__init__(work_dir=str(root), program=self._run_program, pulumi_command=Command())

    def _run_program(self) -> None:
        """Run the program as Pulumi's language host does."""
        runpy.run_path(str(Path(self.work_dir, self.project_settings().main or "")), run_name="__main__")


class Stack(automation.Stack):
    """A stack that exists.

    It is not selected, because each command names it, and so the user's selection stays. Nor is it asked for its
    outputs and its history after each run: its state tells what is needed.
    """

    def __init__(self, name: str, workspace: Workspace) -> None:
        self.name = name
        self.workspace = workspace

    def outputs(self) -> automation.OutputMap:
        """Return nothing."""
        return {}

    def info(self, show_secrets: bool = True) -> automation.UpdateSummary:  # noqa: ARG002, FBT001, FBT002
        """Return what is known of a run that did not fail."""
        now = datetime.now(timezone.utc)
        return automation.UpdateSummary("update", now, "", environment={}, config={}, result="succeeded", end_time=now)
