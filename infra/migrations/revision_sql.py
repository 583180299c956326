"""The SQL of revisions: Alembic writes it without a database, so that it is known before anything runs.

A revision is run as this SQL, and never as Python against a connection: what a preview shows is what a run sends.
"""

from __future__ import annotations

import runpy
import threading
import traceback
from bisect import bisect
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from infra.errors import ModuleError, ModuleFileError, SourcePlace
from infra.modules.directive import DIRECTIVE
from infra.modules.module import Module
from infra.modules.restrictions import find_restricted

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import TextIO

    from infra.migrations.history import Revision

_USE_BLOCK = "put it into `with op.get_context().autocommit_block():`"

_lock = threading.Lock()
"""Alembic's `op` is one for the whole process."""


class RevisionRefusalError(ModuleError):
    """The refusal of a revision that says itself, by CommandError, why it cannot do what is asked of it."""


@dataclass(frozen=True)
class RevisionStatement:
    """One statement of a revision, and the line of the file that makes it."""

    sql: str
    line: int


@dataclass(frozen=True)
class RevisionSql:
    """A revision as SQL; where `outside`, its statements run one by one, outside of a transaction."""

    revision: str
    path: str
    statements: tuple[RevisionStatement, ...]
    outside: bool = False

    @cached_property
    def module(self) -> Module:
        """The statements as the text of a module, a line for the first of each after an empty one."""
        head = f"{DIRECTIVE}\n" if self.outside else ""
        return Module(0, f"revision {self.revision}", self.path, head + "\n".join(self._texts))

    @property
    def _texts(self) -> list[str]:
        return [f"{statement.sql}\n" for statement in self.statements]

    def statement_at(self, line: int) -> RevisionStatement:
        """Return the statement in a line of the module's text."""
        first = [2 if self.outside else 1]
        for text in self._texts:
            first.append(first[-1] + text.count("\n") + 1)
        return self.statements[bisect(first[:-1], line) - 1]

    def located(self, error: ModuleError) -> ModuleError:
        """Return an error of the module's text with its place in the revision's file, and the statement."""
        if error.at is None or not self.statements:
            return error
        statement = self.statement_at(error.at.line)
        located = ModuleError(
            error.what,
            sqlstate=error.sqlstate,
            at=_source_place(self.path, statement.line),
            detail=error.detail,
            hint=error.hint,
        )
        return located.explained(detail=f"in {' '.join(statement.sql.split())}")


def upgrade_sql(revisions: Sequence[Revision]) -> list[RevisionSql]:
    """Return the SQL of revisions; raises ModuleError where one is no Python, or needs a connection."""
    return [_rendered(revision, "upgrade") for revision in revisions]


def downgrade_sql(revision: Revision) -> RevisionSql:
    """Return the SQL that undoes a revision; raises RevisionRefusalError where it says that it cannot be undone."""
    return _rendered(revision, "downgrade")


def _rendered(revision: Revision, function: str) -> RevisionSql:
    from alembic.migration import MigrationContext  # noqa: PLC0415 (most runs have nothing to migrate)
    from alembic.operations import Operations  # noqa: PLC0415
    from sqlalchemy.dialects.postgresql.base import PGDialect  # noqa: PLC0415

    writer = _Writer(str(Path(revision.path).resolve()))
    options: dict[str, Any] = {"as_sql": True, "literal_binds": True, "output_buffer": cast("TextIO", writer)}
    with _lock:
        context = MigrationContext.configure(dialect=PGDialect(paramstyle="named"), opts=options)
        for name in ("emit_commit", "emit_begin"):
            setattr(context.impl, name, writer.leave_transaction)
        try:
            with Operations.context(context):  # run_path compiles the file as it is: none of an earlier text is kept
                runpy.run_path(writer.path)[function]()
        except Exception as error:  # noqa: BLE001 (a revision is a program of the project)
            raise _error_in(revision.path, error, function) from None
    return RevisionSql(revision.revision, revision.path, tuple(writer.statements), writer.outside)


class _Writer:
    """What Alembic writes statements to: keeps them with the line of the revision that made them."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.statements: list[RevisionStatement] = []
        self.outside = False

    def write(self, text: str) -> None:
        """Note a statement."""
        statement = text.strip()
        if statement:
            self.statements.append(RevisionStatement(statement, _line_in(self.path)))

    def leave_transaction(self) -> None:
        """Note that a block is outside of the transaction: Alembic would commit before it, and begin after it."""
        self.outside = True

    def flush(self) -> None:
        """Do nothing."""


def _line_in(path: str) -> int:
    """Return the line at which a file is being run, 1 where it is not."""
    lines = [frame.f_lineno for frame, _ in traceback.walk_stack(None) if frame.f_code.co_filename == path]
    return lines[0] if lines else 1


def _error_in(path: str, error: Exception, function: str) -> ModuleError:
    """Return the error of a revision that could not be written as SQL, with its line."""
    from alembic.util import CommandError  # noqa: PLC0415 (as above)

    full = str(Path(path).resolve())
    frames = traceback.walk_tb(error.__traceback__)
    lines = [number for frame, number in frames if frame.f_code.co_filename == full]
    if isinstance(error, SyntaxError) and error.lineno:
        lines = [error.lineno]
    place = _source_place(path, lines[-1] if lines else 1)
    if isinstance(error, CommandError):  # `alembic` prints it as a sentence too
        return RevisionRefusalError(str(error), at=place, path=path)
    what = f"{function} cannot be written as SQL: {type(error).__name__}: {error}"
    hint = "a revision is run as SQL that can be shown before: use op.… and op.execute, without a connection"
    return ModuleError(what, at=place, path=path, hint=hint)


def _source_place(path: str, line: int) -> SourcePlace:
    try:
        lines: Sequence[str] = Path(path).read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = ()
    text = lines[line - 1] if 0 < line <= len(lines) else ""
    return SourcePlace(path, line, len(text) - len(text.lstrip()) + 1, text)


def refuse_restricted(revision: RevisionSql) -> None:
    """Raise ModuleFileError for the first statement of a revision that no revision may contain."""
    head = f"{DIRECTIVE}\n" if revision.outside else ""
    for statement in revision.statements:
        for problem in find_restricted(Module(0, revision.revision, revision.path, head + statement.sql)):
            remedy = _USE_BLOCK if DIRECTIVE in problem.remedy else problem.remedy
            raise ModuleFileError(problem.what, place=f"{revision.path}:{statement.line}", remedy=remedy)
