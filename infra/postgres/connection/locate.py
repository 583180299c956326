"""Turns PostgreSQL's error into a place in the module file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from psycopg.pq import DiagnosticField

from infra.errors import ModuleError, SourcePlace
from infra.modules.statements import parse, place_of

if TYPE_CHECKING:
    from psycopg.pq.abc import PGresult

    from infra.modules.module import Module


def module_error(module: Module, result: PGresult, completed: int, *, whole: bool = True) -> ModuleError:
    """Make the error that `result` reports, the statement number `completed` (from 0) of the module having failed.

    PostgreSQL counts the position in what was sent: that is of use when it was the `whole` text.
    """

    def said(which: DiagnosticField) -> str:
        return (result.error_field(which) or b"").decode("utf-8", "replace")

    return ModuleError(
        said(DiagnosticField.MESSAGE_PRIMARY),
        sqlstate=said(DiagnosticField.SQLSTATE),
        at=_place(module, said(DiagnosticField.STATEMENT_POSITION) if whole else "", completed),
        path=module.path,
        detail=said(DiagnosticField.MESSAGE_DETAIL),
        hint=said(DiagnosticField.MESSAGE_HINT),
    )


def _place(module: Module, position: str, completed: int) -> SourcePlace | None:
    """Find the place: the position counts characters from 1 in all that was sent; else the statement that failed."""
    if position:
        return place_of(module.text, module.path, int(position) - 1)
    try:
        statements = parse(module.text, module.path)
    except ModuleError as error:
        return error.at
    return place_of(module.text, module.path, statements[completed].start) if completed < len(statements) else None
