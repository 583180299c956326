"""Tests for places of PostgreSQL's errors in module files."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import pytest
from psycopg.pq import DiagnosticField

from infra.modules.module import Module
from infra.postgres.connection.locate import module_error

if TYPE_CHECKING:
    from psycopg.pq.abc import PGresult

    from infra.errors import ModuleError

TEXT = "-- ä\nSELECT 1;\nSELECT nothing;\n\nSELECT 'ö', nowhere;\n"
MODULE = Module(1, "01-a", "sql/01-a.sql", TEXT)


class Result:
    """The part of a PGresult that reports an error."""

    def __init__(self, **fields: str) -> None:
        self.fields = {DiagnosticField[name]: text.encode() for name, text in fields.items()}

    def error_field(self, field: DiagnosticField) -> bytes | None:
        """Return a field of the error, None where the server did not send it."""
        return self.fields.get(field)


def error(completed: int, *, module: Module = MODULE, whole: bool = True, **fields: str) -> ModuleError:
    return module_error(module, cast("PGresult", Result(**fields)), completed, whole=whole)


def test_fields_are_those_of_the_server() -> None:
    """Message, SQLSTATE, detail and hint are the server's; a missing field is empty."""
    full = error(0, MESSAGE_PRIMARY="Spalte fehlt", SQLSTATE="42703", MESSAGE_DETAIL="d", MESSAGE_HINT="h")
    assert (full.what, full.sqlstate, full.detail, full.hint) == ("Spalte fehlt", "42703", "d", "h")
    empty = error(0)
    assert (empty.what, empty.sqlstate, empty.detail, empty.hint) == ("", "", "", "")


@pytest.mark.parametrize(("name", "place"), [("nothing", "sql/01-a.sql:3:8"), ("nowhere", "sql/01-a.sql:5:13")])
def test_a_position_counts_characters(name: str, place: str) -> None:
    """The server's position counts characters, not bytes, from 1."""
    assert str(error(0, STATEMENT_POSITION=str(TEXT.index(name) + 1)).at) == place


@pytest.mark.parametrize(
    ("completed", "place"), [(0, "sql/01-a.sql:2:1"), (1, "sql/01-a.sql:3:1"), (2, "sql/01-a.sql:5:1")]
)
def test_without_a_position_the_statement_is_the_place(completed: int, place: str) -> None:
    """The failed statement is the one after those that were completed."""
    assert str(error(completed).at) == place


def test_the_position_in_a_part_of_the_text_is_not_used() -> None:
    """A position counts from the start of what was sent, which is not the module's when it runs by statement."""
    assert str(error(2, whole=False, STATEMENT_POSITION="8").at) == "sql/01-a.sql:5:1"


def test_an_error_after_the_last_statement_has_the_file_as_its_place() -> None:
    """An error at COMMIT, such as that of a deferred constraint, belongs to no statement."""
    late = error(3)
    assert late.at is None
    assert late.place == "sql/01-a.sql"
