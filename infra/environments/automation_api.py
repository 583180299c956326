"""Pulumi's Automation API with as few runs of the CLI as an environment needs: each is a process of its own."""

from __future__ import annotations

from datetime import datetime, timezone

from pulumi import automation

REQUIRED_VERSION = "3.216.0"
"""The least version of the CLI, as Pulumi.yaml requires it: an older one refuses to run the program."""


class Command(automation.PulumiCommand):
    """The CLI, which is not asked for its version: the API would compare it with one that is long gone."""

    def __init__(self) -> None:
        self.command = "pulumi"
        self.version = None


class Workspace(automation.LocalWorkspace):
    """The folder of a project."""

    @property
    def pulumi_version(self) -> str:
        """The version by which the API decides how it is told of events."""
        return REQUIRED_VERSION


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
