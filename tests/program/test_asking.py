"""`make up` asks before rows are lost, and without a terminal needs to be told; `modules.allow_loss` says it once."""

from __future__ import annotations

import os
import pty
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.program.test_commands import UNLIKE, copy_checkout

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.full

MODULE = "CREATE TABLE notes (id integer PRIMARY KEY);\nINSERT INTO notes VALUES (0);\n"
SETTINGS = "config:\n  platform-postgres:databases: [asking_db]\n  platform-postgres:extensions: []\n"
LOST = "database asking_db: public.notes 2"
REFUSED = f"`up` would lose rows that no module inserted, and has changed nothing there:\n{LOST}"
COUNT = "-AtXc 'SELECT count(*) FROM notes'"


class Checkout:
    """A checkout with one module, in which a person types."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.environment = {name: value for name, value in os.environ.items() if not UNLIKE.fullmatch(name)}

    def make(self, target: str, *variables: str, answer: str = "", status: int = 0) -> str:
        """Run a target, on a terminal of its own if there is something to answer, and return what it prints."""
        terminal, stdin = pty.openpty()
        try:
            os.write(terminal, f"{answer}\n".encode())
            done = subprocess.run(
                ["make", target, "STACK=dev", *variables],
                cwd=self.folder,
                env=self.environment,
                stdin=stdin if answer else subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                check=False,
            )
        finally:
            os.close(terminal)
            os.close(stdin)
        assert (done.returncode == 0) == (status == 0), done.stdout
        return done.stdout

    def rows(self) -> str:
        """Return how many rows the table has."""
        return self.make("psql", "DB=asking_db", "ROLE=migrator", f"ARGS={COUNT}").strip().splitlines()[-1]

    def edit(self, column: str) -> None:
        """Write the module with a column more, whose rows are then lost."""
        (self.folder / "sql" / "01-notes.sql").write_text(MODULE.replace("KEY)", f"KEY, {column} text)"))

    def fill(self) -> None:
        """Insert rows that no module inserted."""
        insert = "-qXc 'INSERT INTO notes (id) VALUES (1), (2)'"
        self.make("psql", "DB=asking_db", "ROLE=app", f"ARGS={insert}")


@pytest.fixture
def checkout(tmp_path: Path) -> Iterator[Checkout]:
    """Yield a checkout whose stack has a table with a row of its module and two others."""
    copy_checkout(tmp_path)
    for path in (tmp_path / "sql").iterdir():
        path.unlink()
    (tmp_path / "sql" / "01-notes.sql").write_text(MODULE)
    (tmp_path / "Pulumi.dev.yaml").write_text(SETTINGS)
    made = Checkout(tmp_path)
    try:
        made.make("up")
        made.fill()
        yield made
    finally:
        made.make("destroy")


def test_rows_are_lost_only_where_somebody_says_so(checkout: Checkout) -> None:
    """Yes on a terminal, an option without one, or the setting; rows of modules alone are not asked for."""
    checkout.edit("first")
    text = checkout.make("up", status=1)
    assert REFUSED in text
    assert "to drop them: make up ARGS=--allow-loss" in text.replace("`", "")
    assert "drop them? (y/N)" not in text
    assert text.count("would lose rows that no module inserted: public.notes 2") == 1  # each error is said once
    assert "dsn" not in text  # Pulumi shows the outputs of a failed run as deleted
    for answer in ("n", "no", "what"):
        text = checkout.make("up", answer=answer, status=1)
        assert REFUSED in text
        assert "drop them? (y/N) " in text
    assert checkout.rows() == "3"
    checkout.make("up", answer="y")
    assert checkout.rows() == "1"
    checkout.edit("second")
    assert "would lose" not in checkout.make("up")
    checkout.fill()
    checkout.edit("third")
    checkout.make("up", "ARGS=--allow-loss")
    assert checkout.rows() == "1"
    checkout.fill()
    checkout.edit("fourth")
    settings = checkout.folder / "Pulumi.dev.yaml"
    settings.write_text(f"{settings.read_text()}  platform-postgres:modules: {{allow_loss: true}}\n")
    checkout.make("up")
    assert checkout.rows() == "1"
