"""The life of a schema in a stack of its own: made, looked at, edited, rebuilt and removed, beside what psql makes."""

from __future__ import annotations

import re
from datetime import datetime, timezone
from difflib import unified_diff
from typing import TYPE_CHECKING

from bench.checkout import Checkout
from bench.databases import Databases
from infra.backup.programs import client_programs, run_client
from infra.modules.statements import parse, words
from infra.postgres.connection.connect import connect

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from infra.postgres.connection.target import Target

DATABASE = "public_db"
MAJOR = 17
MOST_LINES = 40
MOMENT = re.compile(rf"{datetime.now(timezone.utc):%Y-%m-%d} \d\d:\d\d:\d\d(\.\d+)?")
"""What a schema's own INSERT writes down as the moment of its installation."""

OBJECTS = """
SELECT (SELECT count(*) FROM pg_tables WHERE schemaname !~ '^(pg_|information_schema|sqlmodule)'),
    (SELECT count(*) FROM pg_class c WHERE relnamespace::regnamespace::text !~ '^(pg_|information_schema|sqlmodule)')
    + (SELECT count(*) FROM pg_proc WHERE pronamespace::regnamespace::text !~ '^(pg_|information_schema|sqlmodule)')
"""


class Life:
    """One schema: `problems` has a text for each step that failed or left something else than psql makes."""

    def __init__(self, folder: Path, modules: Mapping[str, str], extensions: Sequence[str]) -> None:
        self.modules = dict(modules)
        self.count, self.tables, self.objects = len(modules), 0, 0
        self.checkout = Checkout(
            folder,
            folder.parent / "root",
            [DATABASE],
            modules=modules,
            extensions=extensions,
            settings={"modules": {"allow_loss": True}},
        )
        self.databases: Databases | None = None
        self.steps: list[str] = []
        self.problems: list[str] = []

    def live(self) -> None:
        """Run all steps of the schema's life, and remove the stack, also after a problem."""
        try:
            if self._up("the first up"):
                self._life()
        finally:
            self._verb("destroy", "destroy", "--yes", "--skip-preview")
        left = [path.name for path in (self.checkout.folder.parent / "root").glob("*") if path.name != "binaries"]
        if self.checkout.resources() or left:
            self.problems.append(f"destroy: left {left}")

    def _life(self) -> None:
        with connect(self.checkout.access(DATABASE).admin, autocommit=True) as connection:
            ((self.tables, self.objects),) = connection.execute(OBJECTS.encode()).fetchall()
        unchanged = "--expect-no-changes"
        self._up("up again", unchanged)
        self._verb("preview", "preview", unchanged)
        self._verb("refresh", "refresh", "--yes", "--skip-preview", unchanged)
        names = list(self.modules)
        middle = names[len(names) // 2]
        self._edit(middle, f"-- An edit of a comment.\n{self.modules[middle]}")
        self._up(f"comment edit in {middle}")
        with_tables = [name for name in names if with_column(self.modules[name])]
        for name in dict.fromkeys((*with_tables[:1], *with_tables[-1:])):
            self._edit(name, with_column(self.modules[name]))
            self._up(f"column edit in {name}")
        for name in names[::3]:
            self._edit(name, f"{self.modules[name]}SELECT 1;\n")
            self._up(f"rebuild from {name}")
        self._verb("preview", "preview", unchanged)
        del self.modules[names[-1]]
        self.checkout.write_modules(self.modules)
        self._up(f"removal of {names[-1]}")
        self._verb("preview after the removal", "preview", unchanged)

    def _edit(self, module: str, text: str) -> None:
        self.modules[module] = text
        self.checkout.write_modules(self.modules)

    def _up(self, step: str, *arguments: str) -> bool:
        """Run `up`, and compare what is there with what psql makes of the same files."""
        if not self._verb(step, "up", "--yes", "--skip-preview", *arguments):
            return False
        if not self.databases:
            access = self.checkout.access(DATABASE)
            self.databases = Databases(access, self.checkout.folder / "sql", self.checkout.psql())
        with self.databases.fresh() as session:
            self.databases.run_psql(session)
            expected = _dump(session.admin)
        found = _dump(self.databases.access.admin)
        if expected != found:
            lines = list(unified_diff(expected, found, "psql", "up", lineterm="", n=1))
            self.problems.append("\n".join([f"{step}:", *lines[:MOST_LINES]]))
        return expected == found

    def _verb(self, step: str, *arguments: str) -> bool:
        """Run pulumi, and note what it said where it failed."""
        self.steps.append(step)
        try:
            self.checkout.pulumi(*arguments, "--non-interactive")
        except RuntimeError as error:
            self.problems.append(f"{step}: {error}")
            return False
        return True


def with_column(text: str) -> str:
    """Return a module whose first table has one column more, as its last; '' for a module without a table."""
    for statement in parse(text, "a module"):
        if statement.kind == "create_stmt" and statement.tree.table_elts:
            depth = 0
            for word in words(text[statement.start : statement.end]):
                at = statement.start + word.start
                depth += {"(": 1, ")": -1}.get(text[at : statement.start + word.end], 0)
                if text[at] == ")" and depth == 0:
                    return f"{text[:at]}, added_column text{text[at:]}"
    return ""


def _dump(target: Target) -> list[str]:
    """Return the lines of a dump with rows, without moments of today; privileges are the stack's, as is the ledger."""
    dump = run_client(
        client_programs(MAJOR, None) / "pg_dump", target, ["--no-privileges", "--exclude-schema=sqlmodule"]
    )
    lines = [line for line in dump.splitlines() if not line.startswith((r"\restrict", r"\unrestrict"))]
    return [MOMENT.sub("now", line) for line in lines]
