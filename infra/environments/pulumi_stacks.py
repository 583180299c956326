"""The stacks of environments, through Pulumi's Automation API: with their tags, in the backend that is chosen."""

from __future__ import annotations

import re
import signal
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pulumi import automation

from infra.environments.automation_api import Stack, Workspace
from infra.environments.progress import Progress
from infra.errors import InfraError
from infra.postgres.marks import as_clock, parse_clock

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from datetime import datetime
    from pathlib import Path

TAG = "platform-postgres:environment"
"""The tag of an environment's stack: until when it is wanted, a space, and what people call it."""


@dataclass(frozen=True)
class EnvironmentStack:
    """The stack of an environment: what people call it, its expiry and the number of its resources."""

    stack: str
    name: str
    expires: datetime | None
    resources: int


class PulumiStacks:
    """The stacks of one project."""

    def __init__(self, root: Path) -> None:
        with _errors("the project"):
            self._workspace = Workspace(root)
            self.project = self._workspace.project_settings().name

    def names(self) -> list[str]:
        """Return the names of all stacks of the project, environments or not."""
        with _errors("the list of stacks"):
            return sorted(summary.name.rpartition("/")[2] for summary in self._workspace.list_stacks())

    def environments(self) -> list[EnvironmentStack]:
        """Return the stacks that are environments, by name."""
        with _errors("the list of stacks"):
            summaries = {each.name.rpartition("/")[2]: each for each in self._workspace.list_stacks()}
        found = [self.find(name, summaries[name].resource_count or 0) for name in sorted(summaries)]
        return [stack for stack in found if stack]

    def find(self, stack: str, resources: int = 0) -> EnvironmentStack | None:
        """Return a stack that exists, None for one that is no environment."""
        with _errors(f"stack {stack}"):
            tags = self._workspace.list_tags(stack)
        if TAG not in tags:
            return None
        clock, _, name = tags[TAG].partition(" ")
        try:
            expires = parse_clock(clock)
        except ValueError:
            expires = None
        return EnvironmentStack(stack, name, expires, resources)

    def is_unfinished(self, stack: str) -> bool:
        """Return whether a stack is one whose creation was killed: Pulumi creates it before it can be given tags."""
        return not self.exported(stack).get("resources")

    def exported(self, stack: str) -> dict[str, Any]:
        """Return the state of a stack with its secrets in clear, as stack_state.py reads it."""
        with _errors(f"stack {stack}"):
            return dict(self._workspace.export_stack(stack).deployment or {})

    def create(self, stack: str) -> bool:
        """Create a stack; return whether it did not exist."""
        with _errors(f"stack {stack}"):
            try:
                self._workspace.create_stack(stack)
            except automation.errors.StackAlreadyExistsError:
                return False
        return True

    def up(self, stack: str, *, name: str, expires: datetime, tell: Callable[[str], None]) -> None:
        """Update the stack of an environment, which exists, and keep until when it is wanted."""
        with _errors(f"stack {stack}", tell) as progress:
            self._workspace.set_tag(stack, TAG, f"{as_clock(expires)} {name}")
            self._stack(stack).up(color="never", suppress_outputs=True, on_event=progress.show)

    def destroy(
        self, stack: str, tell: Callable[[str], None], *, refresh: bool = False, follow_primary: bool = False
    ) -> None:
        """Destroy a stack with all that it created, and remove it; `refresh` first finds what is gone already.

        `follow_primary` first finds which of several hosts is the primary now: the state has that of the last run.
        """
        with _errors(f"stack {stack}", tell) as progress:
            selected = self._stack(stack)
            if follow_primary:
                targets = [f"**::{resource}" for resource in ("server", "admin")]
                selected.refresh(color="never", run_program=True, target=targets, on_event=progress.show)
            selected.destroy(color="never", suppress_outputs=True, on_event=progress.show, refresh=refresh or None)
            self._workspace.remove_stack(stack, preserve_config=True)

    def forget(self, stack: str) -> None:
        """Remove a stack whose resources are gone, without asking their server."""
        with _errors(f"stack {stack}"):
            self._workspace.remove_stack(stack, force=True, preserve_config=True)

    def remove_env_file(self, stack: str, tell: Callable[[str], None]) -> None:
        """Remove the block of a stack in its .env file, which needs no server, and what depends on it."""
        with _errors(f"stack {stack}", tell) as progress:
            self._stack(stack).destroy(
                color="never",
                suppress_outputs=True,
                on_event=progress.show,
                target=["**::env-file"],
                target_dependents=True,
            )

    def _stack(self, stack: str) -> Stack:
        return Stack(stack, self._workspace)


def no_environment(stack: str) -> InfraError:
    """Return the error for a stack that people made."""
    return InfraError(
        "exists and was not made by `env up`; nothing was changed",
        place=f"stack {stack}",
        remedy="choose another name",
    )


@contextmanager
def _errors(place: str, tell: Callable[[str], None] | None = None) -> Generator[Progress]:
    """Yield what shows the progress of an operation; raises InfraError with what Pulumi said, without its output."""
    with Progress(tell) as progress, _interrupts_left_to_pulumi():
        try:
            yield progress
        except automation.errors.ConcurrentUpdateError:
            raise InfraError(
                "another run holds its lock",
                place=place,
                remedy=f"wait until it has ended; `make cancel STACK={place.rpartition(' ')[2]}` after one was killed",
            ) from None
        except automation.errors.CommandError as error:
            said = progress.errors or [_last_error(str(error))]
            raise InfraError("\n".join(said), place=place) from None
        except FileNotFoundError as error:
            raise InfraError(
                f"{error.filename} is not installed", place=place, remedy="run it by `make env-up`, which installs it"
            ) from None


def _last_error(output: str) -> str:
    """Return the message in what a command of Pulumi's has written."""
    found = re.findall(r"^\s*(?:stderr: )?error: (.*)", output, re.MULTILINE)
    return str(found[-1]) if found else output.strip()


@contextmanager
def _interrupts_left_to_pulumi() -> Generator[None]:
    """Ignore Ctrl-C, which reaches Pulumi as well: it ends when its operations have, and that ends the wait for it."""

    def ignore(*_: object) -> None:
        return

    try:
        before = signal.signal(signal.SIGINT, ignore)
    except ValueError:  # not the main thread, which alone gets signals
        yield
        return
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
