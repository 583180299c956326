"""A revision in the making: its lines, its file, and the scratch database on which it is run and completed."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path
from textwrap import indent
from typing import TYPE_CHECKING

import psycopg

from infra.check.revisions import revision_catalog, schema_differences
from infra.errors import ModuleError
from infra.hazards.hazard import hazards_of
from infra.hazards.wording import hazard_refusals
from infra.migrations.revision_sql import downgrade_sql, upgrade_sql
from infra.plan.folding import explained_findings
from infra.plan.migration_statements import completing_statements, leading_statements
from infra.postgres.apply.measure import Measurement
from infra.postgres.apply.revision_effects import run_revision
from infra.postgres.connection import pool
from infra.revisions.safe_revision import safe_lines
from infra.server.scratch.scratch_server import MODULE_SECONDS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from infra.catalog.catalog import Catalog
    from infra.catalog.difference import Difference
    from infra.hazards.measured import MeasuredStatement
    from infra.migrations.history import Revision
    from infra.migrations.revision_sql import RevisionSql
    from infra.postgres.connection.scratch_target import ScratchTarget

_TEMPLATE = '''"""{message}

Revision ID: {revision}
Revises: {down}
"""

import sqlalchemy as sa  # noqa: F401
from alembic import op
{error}from sqlalchemy.dialects import postgresql  # noqa: F401

revision = "{revision}"
down_revision = "{down}"


def upgrade() -> None:
{upgrade}


def downgrade() -> None:
{downgrade}
'''


@dataclass
class Draft:
    """A revision in the making, with the lines of both functions, and a database on which it is run.

    `no_way_back` says why the downgrade cannot do what it has to. Then another database takes the place of the one that
    was upgraded.
    """

    own: Revision
    down: str
    message: str
    upgrade: list[str]
    downgrade: list[str]
    scratch: ScratchTarget
    old_again: Callable[[], ScratchTarget]
    no_way_back: list[str] = field(default_factory=list[str])

    def complete(self, function: str, expected: Catalog) -> list[str]:
        """Run a function, and write what the database lacks then to be as expected; return what differs after that."""
        lines = self.upgrade if function == "upgrade" else self.downgrade
        if function == "downgrade" and self.no_way_back:
            lines[:] = [f"raise CommandError({'; '.join(self.no_way_back)!r})"]
            self._write()
            self._go_back()
            return []
        lines[:0] = executed_lines(leading_statements(self._differences(expected)))
        self._write()
        try:
            _run(self.scratch, downgrade_sql(self.own) if function == "downgrade" else upgrade_sql([self.own])[0])
        except ModuleError as error:
            return [f"{function} fails: {error}"]
        lines += executed_lines(self._run_in_some_order(completing_statements(self._differences(expected))))
        self._write()
        return self.compare(expected, function)

    def _run_in_some_order(self, statements: Sequence[str]) -> list[str]:
        """Run statements, those that fail again after others that they may need; return those that ran."""
        ran: list[str] = []
        left = list(statements)
        while left:
            failed: list[str] = []
            for statement in left:
                try:
                    with pool.connection(self.scratch.target) as connection:
                        path = "SET search_path = public"  # as for a revision
                        connection.execute(f"SET ROLE {self.scratch.owner}; {path}; {statement}; RESET ROLE".encode())
                    ran.append(statement)
                except psycopg.Error:  # what it was for is found by the comparison
                    failed.append(statement)
            if len(failed) == len(left):
                break
            left = failed
        return ran

    def _differences(self, expected: Catalog) -> list[Difference]:
        return schema_differences(expected, catalog_on_scratch(self.scratch))

    def compare(self, expected: Catalog, function: str) -> list[str]:
        """Return what differs from an expected catalog when a function has run."""
        wanted = "by the modules" if function == "upgrade" else "before the upgrade"
        lines = explained_findings(self._differences(expected), f"(- {wanted}, + after {function})")
        return [f"after {function} the schema is another one:", *(f"  {line}" for line in lines)] if lines else []

    def undo(self, before: Catalog) -> list[str]:
        """Run the downgrade, and return what differs from the catalog before the upgrade then."""
        self._go_back()
        return self.compare(before, "downgrade")

    def _go_back(self) -> None:
        if self.no_way_back:
            self.scratch = self.old_again()
        else:
            _run(self.scratch, downgrade_sql(self.own))

    def make_safe(self) -> list[str]:
        """Write the upgrade in its safe forms, run it, and return the hazards that are left, as lines."""
        today = datetime.now(timezone.utc).date()
        measured = self._measured()
        lines = safe_lines(self.upgrade, measured, self._first_line(), today=today)
        if lines != self.upgrade:
            self._go_back()
            self.upgrade[:] = lines
            self._write()
            measured = self._measured()
        hazards = hazards_of(measured, {}, today=today)
        return [f"{place}: {what}; {remedy}" for place, what, remedy in hazard_refusals(hazards, today=today)]

    def _measured(self) -> list[MeasuredStatement]:
        with pool.connection(self.scratch.target) as connection:
            return Measurement(connection, self.scratch, seconds=MODULE_SECONDS).run(upgrade_sql([self.own])[0])

    def _first_line(self) -> int:
        """Return the number of the upgrade's first line in the file."""
        return Path(self.own.path).read_text(encoding="utf-8").splitlines().index("def upgrade() -> None:") + 2

    def _write(self) -> None:
        text = _TEMPLATE.format(
            message=self.message,
            revision=self.own.revision,
            down=self.down,
            error="from alembic.util import CommandError\n" if self.no_way_back else "",
            upgrade=indent("\n".join(self.upgrade) or "pass", "    "),
            downgrade=indent("\n".join(self.downgrade) or "pass", "    "),
        )
        Path(self.own.path).write_text(text, encoding="utf-8")


def executed_lines(statements: Sequence[str]) -> list[str]:
    """Return the lines of a revision that run statements."""
    return [f"op.execute({statement!r})" for statement in statements]


def _run(scratch: ScratchTarget, revision: RevisionSql) -> None:
    with pool.connection(scratch.target) as connection:
        run_revision(connection, scratch, revision, seconds=MODULE_SECONDS)


def catalog_on_scratch(scratch: ScratchTarget) -> Catalog:
    """Return the catalog of a scratch database as revision_catalog does."""
    with pool.connection(scratch.target) as connection:
        return revision_catalog(connection, scratch)
