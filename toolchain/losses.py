"""An `up` that would lose rows: what it says of them, and the question whether it may."""

from __future__ import annotations

import fcntl
import sys
import tempfile
from contextlib import contextmanager, suppress
from typing import IO, TYPE_CHECKING

from local_state import STATE, locked_checkout
from parts import report
from run_pulumi import run_pulumi
from stack_names import typed

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

ALLOW_LOSS = "--allow-loss"
LOSSES = "PLATFORM_POSTGRES_LOSSES"
"""The variable with the file in which a run says which rows it would lose, instead of losing them."""


def up_without_loss(stack: str, command: list[str], variables: dict[str, str]) -> int:
    """Run `up`; where it would lose rows, ask on a terminal whether it may, and end in an error elsewhere.

    What is lost is not known before the run has looked; it then says so in a file, and does nothing to that database.
    """
    if ALLOW_LOSS in command:
        return run_pulumi([word for word in command if word != ALLOW_LOSS], variables)
    with losses_file(STATE / "losses") as file:
        status = run_pulumi(command, {**variables, LOSSES: file.name})
        losses = file.read()
    if not losses:
        return status
    report(f"`up` would lose rows that no module inserted, and has changed nothing there:\n{losses.rstrip()}")
    if not sys.stdin.isatty():
        report(f"to drop them: {typed('up', stack)} ARGS={ALLOW_LOSS}")
        return status
    if input("drop them? (y/N) ").strip().lower() not in {"y", "yes"}:
        return status
    return run_pulumi(command, variables)


@contextmanager
def losses_file(folder: Path) -> Generator[IO[str]]:
    """Yield an empty file in a folder, which goes with the last file, as does the one around it where it has no more.

    Files that killed runs have left there, which nobody locks, are removed.
    """
    with locked_checkout():
        folder.mkdir(parents=True, exist_ok=True)
        for left in folder.iterdir():
            with left.open() as other:
                try:
                    fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    continue
                left.unlink()
        file = tempfile.NamedTemporaryFile("r", dir=folder)  # noqa: SIM115 (it outlives the checkout's lock)
        fcntl.flock(file, fcntl.LOCK_EX)
    try:
        with file:
            yield file
    finally:
        with locked_checkout(), suppress(OSError):  # something else is in it
            folder.rmdir()
            folder.parent.rmdir()
