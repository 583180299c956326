"""Places in module files for PostgreSQL's errors."""

from __future__ import annotations

from typing import TYPE_CHECKING

from psycopg.pq import DiagnosticField

from infra.errors import ModuleError, SourcePlace
from infra.lazy_module import LazyModule

if TYPE_CHECKING:
    from psycopg.pq.abc import PGresult

    from infra.modules import statements
    from infra.modules.module import Module
else:
    statements = LazyModule("infra.modules.statements")

_HINTS = {
    "2D000": "a module, or a statement of one that runs by statement, is committed with its record: leave COMMIT and "
    "ROLLBACK out of DO blocks and procedures, or call those outside of modules",
}
"""What to do about errors of a module, by SQLSTATE; invalid_transaction_termination is 2D000 (manual, appendix A)."""


def module_error(module: Module, result: PGresult, completed: int, *, whole: bool = True) -> ModuleError:
    """Return the error that `result` reports, where statement number `completed` (from 0) of the module failed.

    PostgreSQL counts the error's position in the text that was sent, so that it is used only if that was the `whole`
    module.
    """

    def field(which: DiagnosticField) -> str:
        return (result.error_field(which) or b"").decode("utf-8", "replace")

    return ModuleError(
        field(DiagnosticField.MESSAGE_PRIMARY),
        sqlstate=field(DiagnosticField.SQLSTATE),
        at=_place(module, field(DiagnosticField.STATEMENT_POSITION) if whole else "", completed),
        path=module.path,
        detail=field(DiagnosticField.MESSAGE_DETAIL),
        hint=field(DiagnosticField.MESSAGE_HINT) or _HINTS.get(field(DiagnosticField.SQLSTATE), ""),
    )


def _place(module: Module, position: str, completed: int) -> SourcePlace | None:
    """Return the place of a position, which counts characters from 1, or else of the statement that failed."""
    if position:
        return statements.place_of(module.text, module.path, int(position) - 1)
    try:
        parsed = statements.parse(module.text, module.path)
    except ModuleError as error:
        return error.at
    return statements.place_of(module.text, module.path, parsed[completed].start) if completed < len(parsed) else None
